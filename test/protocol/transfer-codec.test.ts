import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/foundation/bytes.ts'
import { encodeFields, MalformedMessageError } from '../../src/protocol/cbor.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../src/protocol/codec.ts'
import { MAX_HEADER_BYTES } from '../../src/protocol/limits.ts'
import type { Reply, ReplyOf, Request, StatReply } from '../../src/protocol/messages.ts'

const account = fc.uint8Array({ minLength: 32, maxLength: 32 })
const leaseS = fc.nat(366 * 24 * 3600)
const leases = fc.array(fc.record({ account, leaseS }), { maxLength: 20 })
const size = fc.nat(Number.MAX_SAFE_INTEGER)
const bytes = fc.uint8Array({ minLength: 1, maxLength: 900 })

const request: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    op: fc.constant('transfer' as const),
    leases,
    manifest: bytes,
    index: fc.nat(254),
    shard: bytes,
  }),
  fc.record({ op: fc.constant('slot-transfer' as const), leases, record: bytes }),
  fc.constantFrom<Request>({ op: 'stat' }, { op: 'stat', accounts: true }),
)

const refused = fc
  .uniqueArray(fc.nat(511), { maxLength: 12 })
  .map((all) => all.sort((a, b) => a - b))
const outcome = fc.constantFrom(
  ...(['stored', 'have', 'quota', 'full', 'bad', 'later', 'expired'] as const),
)
const usage = fc.oneof(
  fc.record({ account, usedBytes: size, handedBytes: size }),
  fc.record({ account, usedBytes: size, handedBytes: size, quotaBytes: size }),
)
const stat: fc.Arbitrary<StatReply> = fc.record(
  {
    op: fc.constant('stat' as const),
    usedBytes: size,
    shares: size,
    freeBytes: size,
    capacityBytes: size,
    account: fc.record({ usedBytes: size, quotaBytes: size }),
    accounts: fc.array(usage, { maxLength: 20 }),
  },
  { requiredKeys: ['op', 'usedBytes', 'shares', 'freeBytes', 'capacityBytes', 'account'] },
)
const reply: fc.Arbitrary<ReplyOf<'transfer' | 'slot-transfer' | 'stat'>> = fc.oneof(
  fc.record({
    op: fc.constantFrom('transfer' as const, 'slot-transfer' as const),
    outcome,
    refused,
  }) as fc.Arbitrary<ReplyOf<'transfer' | 'slot-transfer'>>,
  stat,
)

const coded = (message: Request): Request => {
  const { header, body } = encodeRequest(message)
  return decodeRequest(header, concatBytes(body))
}
const codedReply = (message: Reply): unknown => {
  const { header, body } = encodeReply(message)
  return decodeReply(message.op, header, concatBytes(body))
}

describe('messages of nodes that go, and who stores how much', () => {
  test('are decoded as they were encoded', () => {
    fc.assert(
      fc.property(request, (message) => {
        expect(coded(message)).toEqual(message)
      }),
    )
    fc.assert(
      fc.property(reply, (message) => {
        expect(codedReply(message)).toEqual(message)
      }),
    )
  })

  test('at their largest fit a header', () => {
    const longest = { account: new Uint8Array(32), leaseS: 366 * 24 * 3600 }
    const handed = Array.from({ length: 512 }, () => longest)
    const manifest = new Uint8Array(8168)
    const most = {
      account: longest.account,
      usedBytes: 2 ** 53 - 1,
      handedBytes: 2 ** 53 - 1,
      quotaBytes: 2 ** 53 - 1,
    }
    const one = new Uint8Array(1)
    for (const { header } of [
      encodeRequest({ op: 'transfer', leases: handed, manifest, index: 254, shard: one }),
      encodeReply({ op: 'transfer', outcome: 'stored', refused: [...handed.keys()] }),
      encodeReply({
        op: 'stat',
        usedBytes: 2 ** 53 - 1,
        shares: 2 ** 53 - 1,
        freeBytes: 2 ** 53 - 1,
        capacityBytes: 2 ** 53 - 1,
        account: { usedBytes: 2 ** 53 - 1, quotaBytes: 2 ** 53 - 1 },
        accounts: handed.map(() => most),
      }),
    ]) {
      expect(header.length).toBeLessThanOrEqual(MAX_HEADER_BYTES)
    }
  })

  test('that break a bound are refused', () => {
    const header = (op: number, fields: [number, unknown][]): Uint8Array =>
      encodeFields(new Map<number, unknown>([[0, op], ...fields]))
    const key = new Uint8Array(32)
    const one = Uint8Array.of(1)
    const bad: [Uint8Array, Uint8Array][] = [
      [
        header(12, [
          [1, []],
          [2, one],
          [3, 255],
        ]),
        one,
      ],
      [
        header(12, [
          [1, []],
          [2, one],
          [3, 0],
        ]),
        new Uint8Array(0),
      ],
      [
        header(12, [
          [2, one],
          [3, 0],
        ]),
        one,
      ],
      [
        header(12, [
          [1, [[key]]],
          [2, one],
          [3, 0],
        ]),
        one,
      ],
      [
        header(12, [
          [1, [[key, -1]]],
          [2, one],
          [3, 0],
        ]),
        one,
      ],
      [
        header(12, [
          [1, [[key, 366 * 24 * 3600 + 1]]],
          [2, one],
          [3, 0],
        ]),
        one,
      ],
      [
        header(12, [
          [1, [[key.subarray(1), 1]]],
          [2, one],
          [3, 0],
        ]),
        one,
      ],
      [
        header(12, [
          [1, Array.from({ length: 513 }, () => [key, 1])],
          [2, one],
          [3, 0],
        ]),
        one,
      ],
      [header(13, [[1, []]]), new Uint8Array(0)],
      [header(13, [[1, []]]), new Uint8Array(5288)],
      [header(8, []), one],
    ]
    for (const [head, body] of bad) {
      expect(() => decodeRequest(head, body)).toThrow(MalformedMessageError)
    }
    for (const head of [
      header(12, [[1, 7]]),
      header(12, [
        [1, 0],
        [2, []],
      ]),
      header(12, [
        [1, 0],
        [2, [1, 1]],
      ]),
      header(12, [
        [1, 0],
        [2, [512]],
      ]),
    ]) {
      expect(() => decodeReply('transfer', head, new Uint8Array(0))).toThrow(MalformedMessageError)
    }
  })

  test('of a newer STAT are understood by whoever knows less', () => {
    // Field 1 of an older node's STAT means nothing, and field 7 is one more that it does not look at.
    expect(
      decodeRequest(
        encodeFields(
          new Map<number, unknown>([
            [0, 8],
            [1, 'what?'],
          ]),
        ),
        new Uint8Array(0),
      ),
    ).toEqual({
      op: 'stat',
    })
  })
})
