import { describe, expect, it } from 'vitest'
import { MAX_DEVICES, MAX_REFUSED_ADMISSIONS } from '../../../src/protocol/membership/limits.ts'
import { Membership } from '../../../src/protocol/membership/membership.ts'
import {
  accountNamed,
  admitted,
  announced,
  device,
  deviceNamed,
  GRID_ID,
  invite,
  named,
  revoked,
  START_S,
} from '../../support/test-members.ts'

const DAY_S = 24 * 3600
const clock = { nowMs: () => START_S * 1000 }

function membership(...statements: readonly Uint8Array[]): Membership {
  const made = new Membership({ gridId: GRID_ID, clock })
  made.add(statements)
  return made
}

const ADA = [named('ada', { role: 'admin' }), device('ada', 'ada-node')]
const names = (of: Membership): string[] =>
  of.members.filter(({ status }) => status === 'in').map(({ name }) => name)
const refusals = (of: Membership): string[] =>
  of.refusedAdmissions.map(({ admission, reason }) => `${admission.name}: ${reason}`)

describe('an invite', () => {
  it('lets in as many as it says, the earliest first, and names them as it says', () => {
    const said = { uses: 2, name: 'a guest', role: 'admin', quotaBytes: 7 } as const
    const made = membership(
      ...ADA,
      admitted('cleo', 'x', { by: 'ada-node', atS: 3, said }),
      admitted('ben', 'x', { by: 'ada-node', atS: 1, said }),
      admitted('dan', 'x', { by: 'ada-node', atS: 2, said }),
    )
    expect(made.member(accountNamed('ben'))).toMatchObject({
      name: 'a guest',
      role: 'admin',
      quotaBytes: 7,
      status: 'in',
    })
    expect(made.member(accountNamed('dan'))?.status).toBe('in')
    expect(refusals(made)).toEqual(['cleo: used-up'])
  })

  it('counts once for an account that asked two members', () => {
    const said = { uses: 2 }
    const made = membership(
      ...ADA,
      device('ada', 'ada-other'),
      admitted('ben', 'x', { by: 'ada-node', atS: 1, said }),
      admitted('ben', 'x', { by: 'ada-other', atS: 2, said }),
      admitted('cleo', 'x', { by: 'ada-node', atS: 3, said }),
    )
    expect(names(made)).toEqual(['ada', 'ben', 'cleo'])
    expect(refusals(made)).toEqual([])
  })

  it('is taken for a day after its end, as clocks differ, and not after', () => {
    const { expiresS } = invite('x')
    const atS = expiresS - START_S + DAY_S
    const late = membership(...ADA, admitted('ben', 'x', { by: 'ada-node', atS: atS - 1 }))
    expect(names(late)).toEqual(['ada', 'ben'])
    const tooLate = membership(...ADA, admitted('ben', 'x', { by: 'ada-node', atS }))
    expect(names(tooLate)).toEqual(['ada'])
    expect(refusals(tooLate)).toEqual(['ben: expired'])
    const never = { expiresS: 0 }
    const ever = membership(...ADA, admitted('ben', 'x', { by: 'ada-node', atS: 1e9, said: never }))
    expect(names(ever)).toEqual(['ada', 'ben'])
  })

  it('is taken back even after its use, from all whom an admin has not named', () => {
    const made = membership(
      ...ADA,
      admitted('ben', 'x', { by: 'ada-node', atS: 1, said: { uses: 2 } }),
      admitted('cleo', 'x', { by: 'ada-node', atS: 2, said: { uses: 2 } }),
      named('ben'),
    )
    expect(names(made)).toEqual(['ada', 'ben', 'cleo'])
    expect(made.refusalOf(invite('x', { uses: 2 }))).toBe('used-up')
    made.add([revoked('x')])
    expect(names(made)).toEqual(['ada', 'ben'])
    expect(made.refusalOf(invite('x', { uses: 2 }))).toBe('revoked')
  })

  it('tells of a few further uses, however many there are', () => {
    const further = Array.from({ length: 20 }, (_, at) =>
      admitted(`thief ${at}`, 'x', { by: 'ada-node', atS: 10 + at }),
    )
    const made = membership(...ADA, admitted('ben', 'x', { by: 'ada-node' }), ...further)
    expect(made.refusedAdmissions).toHaveLength(MAX_REFUSED_ADMISSIONS)
    expect(names(made)).toEqual(['ada', 'ben'])
  })
})

describe('who was refused', () => {
  const stolen = [
    ...ADA,
    admitted('ben', 'x', { by: 'ada-node', atS: 100 }),
    device('ben', 'ben-node'),
    admitted('eve', 'x', { by: 'ada-node', atS: 200 }),
    device('eve', 'eve-node'),
  ]

  it('lets nobody in, whatever time they write down', () => {
    for (const atS of [1, 150, 300]) {
      const made = membership(
        ...stolen,
        admitted('eve', 'y', { by: 'eve-node', atS }),
        admitted('mallory', 'x', { by: 'eve-node', atS }),
      )
      expect(names(made)).toEqual(['ada', 'ben'])
    }
  })

  it('cannot be let in by someone who came later than the time that they write down', () => {
    const made = membership(...stolen, admitted('eve', 'x', { by: 'ben-node', atS: 50 }))
    expect(names(made)).toEqual(['ada', 'ben'])
  })

  it('is nobody without a member who lets them in', () => {
    const made = membership(admitted('eve', 'x', { by: 'eve-node' }), device('eve', 'eve-node'))
    expect(made.all()).toEqual([])
    const { refused } = made.add([announced('eve-node'), device('eve', 'eve-node')])
    expect(refused.map(({ reason }) => reason)).toEqual(['unfounded', 'unfounded'])
  })
})

describe('an account that was removed', () => {
  const everybody = [
    ...ADA,
    admitted('ben', 'x', { by: 'ada-node' }),
    device('ben', 'ben-node'),
    announced('ben-node'),
    admitted('cleo', 'y', { by: 'ben-node', atS: 5 }),
  ]

  it('stays removed with an invite, and those whom it let in stay in', () => {
    const made = membership(...everybody, named('ben', { seq: 2, status: 'removed' }))
    expect(names(made)).toEqual(['ada', 'cleo'])
    made.add([admitted('ben', 'z', { by: 'ada-node', atS: 50 })])
    expect(names(made)).toEqual(['ada', 'cleo'])
    expect(made.isMember(deviceNamed('ben-node'))).toBe(false)
    expect(made.announcementOf(deviceNamed('ben-node'))).toBeUndefined()
  })

  it('is in again once an admin says so who knows of the removal, with its devices', () => {
    const made = membership(...everybody, named('ben', { seq: 2, status: 'removed' }))
    made.add([named('ben', { seq: 3, quotaBytes: 9, basis: 1 })])
    expect(made.isMember(deviceNamed('ben-node'))).toBe(false)
    made.add([named('ben', { seq: 4, term: 1 })])
    expect(made.isMember(deviceNamed('ben-node'))).toBe(true)
    made.add([named('ben', { seq: 9, status: 'removed' })])
    expect(made.isMember(deviceNamed('ben-node'))).toBe(true)
  })
})

describe('two admins who did not know of each other', () => {
  it('come to one answer, in which a removal counts first, and both are told', () => {
    const changed = named('ben', { seq: 9, quotaBytes: 5 })
    const removed = named('ben', { seq: 9, status: 'removed' })
    for (const order of [
      [changed, removed],
      [removed, changed],
    ]) {
      const made = membership(...ADA, ...order)
      const ben = made.member(accountNamed('ben'))
      expect([ben?.status, ben?.overruled?.quotaBytes]).toEqual(['removed', 5])
    }
    const again = named('ben', { seq: 10, term: 1 })
    const settled = membership(...ADA, changed, removed, again)
    expect(settled.member(accountNamed('ben'))).toMatchObject({ status: 'in' })
    expect(settled.member(accountNamed('ben'))?.overruled).toBeUndefined()
    expect(settled.all()).toHaveLength(3)
  })
})

describe('devices', () => {
  it('belong to one account, and to nobody without their consent', () => {
    const made = membership(...ADA, named('ben'), device('ben', 'ada-node'))
    const owner = [accountNamed('ada'), accountNamed('ben')].sort()[0]
    expect(made.accountOf(deviceNamed('ada-node'))).toBe(owner)
  })

  it('are as many as an account may have, and those removed do not come back', () => {
    const many = Array.from({ length: MAX_DEVICES + 3 }, (_, at) =>
      device('ada', `device ${at}`, { seq: 10 + at }),
    )
    const made = membership(named('ada'), ...many)
    expect(made.keys()).toHaveLength(MAX_DEVICES)
    made.add([device('ada', 'device 0', { seq: 99, status: 'removed' })])
    expect(made.isMember(deviceNamed('device 0'))).toBe(false)
    expect(made.isMember(deviceNamed(`device ${MAX_DEVICES}`))).toBe(true)
    made.add(many)
    expect(made.isMember(deviceNamed('device 0'))).toBe(false)
  })

  it('say nothing old again: an earlier announcement is refused', () => {
    const made = membership(...ADA, announced('ada-node', { seq: 5, capacityBytes: 5 }))
    const { refused } = made.add([announced('ada-node', { seq: 4, capacityBytes: 4 })])
    expect(refused.map(({ reason }) => reason)).toEqual(['outdated'])
    expect(made.nodes[0]?.capacityBytes).toBe(5)
  })
})

it('a sponsor whose clock was ahead when it came in writes later times than that', () => {
  const made = membership(
    ...ADA,
    admitted('ben', 'x', { by: 'ada-node', atS: DAY_S }),
    device('ben', 'ben-node'),
  )
  expect(made.admissionTimeS(deviceNamed('ada-node'))).toBe(START_S)
  expect(made.admissionTimeS(deviceNamed('ben-node'))).toBe(START_S + DAY_S + 1)
  const atS = made.admissionTimeS(deviceNamed('ben-node')) - START_S
  made.add([admitted('cleo', 'y', { by: 'ben-node', atS })])
  expect(names(made)).toEqual(['ada', 'ben', 'cleo'])
})
