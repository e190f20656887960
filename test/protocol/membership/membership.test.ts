import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, toHex } from '../../../src/foundation/bytes.ts'
import { Membership, STATEMENT_DIGEST_BYTES } from '../../../src/protocol/membership/membership.ts'
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

class TestClock {
  ms = START_S * 1000
  nowMs(): number {
    return this.ms
  }
}

function membership(statements: readonly Uint8Array[] = [], clock = new TestClock()): Membership {
  const made = new Membership({ gridId: GRID_ID, clock })
  made.add(statements)
  return made
}

const textOf = (bytes: Uint8Array): string => toHex(bytes)
const held = ({ all }: { all: () => readonly { bytes: Uint8Array }[] }): string[] =>
  all()
    .map(({ bytes }) => textOf(bytes))
    .sort()

/** What a membership says, without the statements it says it from. */
const says = (of: Membership): unknown => ({
  held: held({ all: () => of.all() }),
  members: of.members.map(({ name, role, status, quotaBytes, devices, overruled }) => ({
    name,
    role,
    status,
    quotaBytes,
    devices: devices.map(({ key, announcement }) => [key, announcement?.seq]),
    overruled: overruled?.hash,
  })),
  refused: of.refusedAdmissions.map(({ admission, reason }) => [admission.hash, reason]),
  nodes: of.nodes,
  keys: [...of.keys()].sort(),
})

/** A grid with most of what can happen in one. */
const HISTORY: readonly Uint8Array[] = [
  named('ada', { role: 'admin' }),
  device('ada', 'ada-laptop', { use: 'client' }),
  device('ada', 'ada-node'),
  announced('ada-node'),
  announced('ada-node', { seq: 2, capacityBytes: 2e9 }),
  admitted('ben', 'for ben', { by: 'ada-node', atS: 10 }),
  device('ben', 'ben-node'),
  announced('ben-node'),
  // Ben lets Cleo in, and loses the device with which he did.
  admitted('cleo', 'for cleo', { by: 'ben-node', atS: 20 }),
  device('cleo', 'cleo-node'),
  announced('cleo-node'),
  device('ben', 'ben-node', { seq: 2, status: 'removed' }),
  device('ben', 'ben-other'),
  announced('ben-other'),
  // A second use of Ben's invite.
  admitted('eve', 'for ben', { by: 'cleo-node', atS: 30 }),
  device('eve', 'eve-node'),
  announced('eve-node'),
  // Dan was in, and is removed; two admins did not know of each other.
  admitted('dan', 'for dan', { by: 'ada-node', atS: 40 }),
  device('dan', 'dan-node'),
  announced('dan-node'),
  named('dan', { seq: 5, status: 'removed' }),
  named('dan', { seq: 5, quotaBytes: 5 }),
  named('dan', { seq: 4, quotaBytes: 4 }),
  revoked('for nobody'),
  admitted('fay', 'for nobody', { by: 'ada-node', atS: 50 }),
]

describe('membership', () => {
  it('is the same in whatever order and portions its statements come, once all were offered', () => {
    const expected = says(membership(HISTORY))
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...HISTORY], { minLength: HISTORY.length }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
        (shuffled, portions) => {
          const made = membership()
          // What rests on something that has not come yet is refused, and offered again as members do.
          for (let round = 0; round < 6; round++) {
            let at = 0
            for (let turn = 0; at < shuffled.length; turn++) {
              const size = portions[turn % portions.length] as number
              made.add(shuffled.slice(at, at + size))
              at += size
            }
          }
          expect(says(made)).toEqual(expected)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('says what happened', () => {
    const made = membership(HISTORY)
    expect(made.members.map(({ name, status, role }) => [name, status, role])).toEqual([
      ['ada', 'in', 'admin'],
      ['ben', 'in', 'member'],
      ['cleo', 'in', 'member'],
      ['dan', 'removed', 'member'],
    ])
    expect(made.refusedAdmissions.map(({ admission, reason }) => [admission.name, reason])).toEqual(
      [
        ['eve', 'used-up'],
        ['fay', 'revoked'],
      ],
    )
    expect(made.nodes.map(({ name }) => name).sort()).toEqual([
      'ada-node',
      'ben-other',
      'cleo-node',
    ])
    expect(made.nodes.find(({ name }) => name === 'ada-node')).toEqual({
      key: deviceNamed('ada-node'),
      name: 'ada-node',
      zone: 'house of ada-node',
      capacityBytes: 2e9,
    })
    for (const gone of ['ben-node', 'dan-node', 'eve-node', 'stranger']) {
      expect(made.isMember(deviceNamed(gone))).toBe(false)
    }
    expect(made.accountOf(deviceNamed('ben-other'))).toBe(accountNamed('ben'))
    expect(made.member(accountNamed('dan'))?.overruled?.quotaBytes).toBe(5)
  })

  it('takes everything twice as once', () => {
    const made = membership(HISTORY)
    const before = says(made)
    expect(made.add(HISTORY).added).toEqual([])
    expect(made.digests().length).toBe(STATEMENT_DIGEST_BYTES * made.all().length)
    expect(made.add([...HISTORY, ...HISTORY]).added).toEqual([])
    expect(says(made)).toEqual(before)
  })

  it('is told whole in the order of all(), one statement at a time', () => {
    const made = membership(HISTORY)
    const other = membership()
    for (const { bytes } of made.all()) expect(other.add([bytes]).refused).toEqual([])
    expect(says(other)).toEqual(says(made))
  })

  it('becomes the same on two sides that tell each other what is missing', () => {
    fc.assert(
      fc.property(fc.subarray([...HISTORY]), fc.subarray([...HISTORY]), (some, others) => {
        const [a, b] = [membership(some), membership(others)]
        for (let round = 0; round < 4; round++) {
          const forB = a.missing(b.digests())
          const forA = b.missing(a.digests())
          a.add(forA.map(({ bytes }) => bytes))
          b.add(forB.map(({ bytes }) => bytes))
        }
        expect(says(a)).toEqual(says(b))
        expect(a.missing(b.digests())).toEqual([])
        expect(a.digests()).toEqual(b.digests())
      }),
      { numRuns: 25 },
    )
  })

  it('refuses every change of a byte, every cut and every addition', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...HISTORY),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (bytes, place, change) => {
          const at = place % bytes.length
          const wrong = [
            bytes.with(at, bytes[at]! ^ change),
            bytes.subarray(0, at),
            concatBytes([bytes, Uint8Array.of(change)]),
            concatBytes([Uint8Array.of(change), bytes]),
          ]
          const { added, refused } = membership().add(wrong)
          expect(added).toEqual([])
          expect(refused.map(({ reason }) => reason)).toEqual(wrong.map(() => 'malformed'))
        },
      ),
      { numRuns: 80 },
    )
  })

  it('takes nothing from another grid', () => {
    const other = new Membership({ gridId: invite('x').bytes.slice(0, 32), clock: new TestClock() })
    const { added, refused } = other.add(HISTORY)
    expect(added).toEqual([])
    expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['malformed']))
  })

  it('tells its listeners what changed, and gives the same nodes until they do', () => {
    const made = membership(HISTORY)
    const seen: unknown[] = []
    const stop = made.onChange(({ added, membersChanged, nodesChanged }) => {
      seen.push([added.map(({ kind }) => kind), membersChanged, nodesChanged])
    })
    const { nodes } = made
    made.add([announced('ada-node', { seq: 3, capacityBytes: 2e9, addresses: [] })])
    expect(made.nodes).toBe(nodes)
    made.add([announced('ada-node', { seq: 4, capacityBytes: 3e9 })])
    expect(made.nodes).not.toBe(nodes)
    made.add([named('ben', { seq: 7, status: 'removed' })])
    stop()
    made.add([announced('ada-node', { seq: 9 })])
    expect(seen).toEqual([
      [['announcement'], false, false],
      [['announcement'], false, true],
      [['member'], true, true],
    ])
  })

  it('lets a membership end by the clock, and begin again if the clock was wrong', () => {
    const clock = new TestClock()
    const made = membership(
      [named('ada', { expiresS: START_S + 60 }), device('ada', 'ada-node'), announced('ada-node')],
      clock,
    )
    const key = deviceNamed('ada-node')
    expect([made.isMember(key), made.nodes.length]).toEqual([true, 1])
    clock.ms += 60_000
    expect([made.isMember(key), made.nodes.length]).toEqual([false, 0])
    expect(made.members[0]?.status).toBe('expired')
    clock.ms -= 1
    expect([made.isMember(key), made.nodes.length]).toEqual([true, 1])
  })
})
