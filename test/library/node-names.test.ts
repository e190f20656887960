import { expect, it } from 'vitest'
import { deviceLabel, memberLabel, nodeLabel, nodeName } from '../../src/library/node-names.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import { HandClock } from '../support/storage-nodes.ts'
import { accountNamed, device, deviceNamed, GRID_ID, named } from '../support/test-members.ts'

it('a node has its name, and that of its owner where others are called alike', () => {
  const membership = new Membership({ gridId: GRID_ID, clock: new HandClock() })
  membership.add([
    named('ada'),
    named('ben'),
    named('cleo', { status: 'removed' }),
    device('ada', 'attic'),
    device('ada', 'pi', { name: 'raspberrypi' }),
    device('ben', 'other pi', { name: 'raspberrypi' }),
    device('cleo', 'old attic', { name: 'attic' }),
  ])
  const name = (key: string): string => nodeName(membership, deviceNamed(key))
  expect(name('attic')).toBe('attic')
  expect(name('pi')).toBe('raspberrypi of ada')
  expect(name('other pi')).toBe('raspberrypi of ben')
  expect(name('nobody')).toBe(deviceNamed('nobody').slice(0, 12))
})

it('members and devices have digits of their keys where several are called alike', () => {
  const membership = new Membership({ gridId: GRID_ID, clock: new HandClock() })
  membership.add([
    named('ada'),
    named('ben', { name: 'root' }),
    named('cleo', { name: 'root' }),
    device('ben', 'node'),
    device('cleo', 'first', { name: 'vm' }),
    device('cleo', 'second', { name: 'vm' }),
  ])
  const label = (who: string): string => {
    const member = membership.member(accountNamed(who))
    return member === undefined ? 'nobody' : memberLabel(membership, member)
  }
  expect(label('ada')).toBe('ada')
  expect(label('ben')).toBe(`root (${accountNamed('ben').slice(0, 12)})`)
  expect(nodeLabel(membership, deviceNamed('node'))).toBe(`node of ${label('ben')}`)
  const first = `vm (${deviceNamed('first').slice(0, 12)})`
  expect(nodeLabel(membership, deviceNamed('first'))).toBe(`${first} of ${label('cleo')}`)
  const devices = membership.member(accountNamed('cleo'))?.devices ?? []
  expect(devices.map((each) => deviceLabel(each, { devices }))).toContain(first)
})
