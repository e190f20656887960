import { expect, it } from 'vitest'
import { nodeName } from '../../src/library/node-names.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import { HandClock } from '../support/storage-nodes.ts'
import { device, deviceNamed, GRID_ID, named } from '../support/test-members.ts'

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
