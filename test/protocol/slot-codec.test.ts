import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/foundation/bytes.ts'
import { encodeFields, MalformedMessageError } from '../../src/protocol/cbor.ts'
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../../src/protocol/codec.ts'
import { MAX_BODY_BYTES, MAX_HEADER_BYTES } from '../../src/protocol/limits.ts'
import type { Op, ReplyOf, RequestOf } from '../../src/protocol/messages.ts'
import { slotKey } from '../../src/protocol/slot-key.ts'

type SlotOp = Extract<Op, `slot-${string}`>
/** From number 9 on. */
const OPS: readonly SlotOp[] = ['slot-put', 'slot-get', 'slot-watch']

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const slot = bytes32.map(slotKey)
const leaseS = fc.nat(366 * 24 * 3600)
const record = fc
  .constantFrom(947, 959, 1703, 5287)
  .map((length) => new Uint8Array(length).fill(length))
const heads = fc.array(record, { maxLength: 8 })

const request: fc.Arbitrary<RequestOf<SlotOp>> = fc.oneof(
  fc.record(
    {
      op: fc.constant('slot-put' as const),
      record: fc.uint8Array({ minLength: 1, maxLength: 5287 }),
      leaseS,
      ifHeads: fc.array(bytes32, { maxLength: 8 }),
    },
    { requiredKeys: ['op', 'record', 'leaseS'] },
  ),
  fc.record(
    { op: fc.constant('slot-get' as const), slots: fc.array(slot, { maxLength: 24 }), leaseS },
    { requiredKeys: ['op', 'slots'] },
  ),
  fc.record({
    op: fc.constant('slot-watch' as const),
    watches: fc.array(fc.record({ slot, known: bytes32 }), { maxLength: 24 }),
    waitS: fc.nat(60),
  }),
)

const reply: fc.Arbitrary<ReplyOf<SlotOp>> = fc.oneof(
  fc.record({
    op: fc.constant('slot-put' as const),
    outcome: fc.constantFrom(
      ...(['stored', 'have', 'stale', 'merge-first', 'heads-differ'] as const),
      ...(['expired', 'quota', 'full', 'bad'] as const),
    ),
    heads,
  }),
  fc.array(heads, { maxLength: 24 }).chain((all) =>
    fc.record({
      op: fc.constant('slot-get' as const),
      heads: fc.constant(all),
      unleased: fc.subarray([...all.keys()]),
    }),
  ),
  fc.record({
    op: fc.constant('slot-watch' as const),
    changed: fc.array(fc.record({ slot, heads }), { maxLength: 24 }),
  }),
)

/** A request or reply as any peer could write it: fields 0, 1, 2, … and a body. */
function refusesRequest(values: readonly unknown[], body: Uint8Array = new Uint8Array(0)): void {
  expect(() => decodeRequest(headerOf(values), body)).toThrow(MalformedMessageError)
}

function refusesReply(
  op: SlotOp,
  values: readonly unknown[],
  body: Uint8Array = new Uint8Array(0),
): void {
  expect(() => decodeReply(op, headerOf(values), body)).toThrow(MalformedMessageError)
}

function headerOf(values: readonly unknown[]): Uint8Array {
  return encodeFields(new Map([...values.entries()].filter(([, value]) => value !== undefined)))
}

describe('messages about slots', () => {
  test('requests come back from their bytes', () => {
    fc.assert(
      fc.property(request, (message) => {
        const { header, body } = encodeRequest(message)
        expect(decodeRequest(header, concatBytes(body))).toEqual(message)
      }),
    )
  })

  test('replies come back from their bytes', () => {
    fc.assert(
      fc.property(reply, (message) => {
        const { header, body } = encodeReply(message)
        expect(decodeReply(message.op, header, concatBytes(body))).toEqual(message)
      }),
      { numRuns: 40 },
    )
  })

  test('the largest of each fit a frame', () => {
    const slots = Array.from({ length: 24 }, () => slotKey(new Uint8Array(32)))
    const known = new Uint8Array(32)
    const all = Array.from({ length: 8 }, () => new Uint8Array(5287))
    const messages = [
      encodeRequest({ op: 'slot-get', slots, leaseS: 366 * 24 * 3600 }),
      encodeRequest({
        op: 'slot-watch',
        watches: slots.map((key) => ({ slot: key, known })),
        waitS: 60,
      }),
      encodeReply({ op: 'slot-get', heads: slots.map(() => all), unleased: [...slots.keys()] }),
      encodeReply({ op: 'slot-watch', changed: slots.map((key) => ({ slot: key, heads: all })) }),
    ]
    for (const { header, body } of messages) {
      expect(header.length).toBeLessThan(MAX_HEADER_BYTES)
      expect(concatBytes(body).length).toBeLessThan(MAX_BODY_BYTES)
    }
  })

  test('requests out of bounds are refused', () => {
    const body = new Uint8Array(947)
    const key = new Uint8Array(32)
    refusesRequest([9, 5], new Uint8Array(0))
    refusesRequest([9, 5], new Uint8Array(5288))
    refusesRequest([9], body)
    refusesRequest([9, 366 * 24 * 3600 + 1], body)
    refusesRequest([9, -1], body)
    refusesRequest([9, 5, new Uint8Array(31)], body)
    refusesRequest([9, 5, new Uint8Array(9 * 32)], body)
    refusesRequest([9, 5, [key]], body)
    refusesRequest([10, new Uint8Array(25 * 32)])
    refusesRequest([10, new Uint8Array(33)])
    refusesRequest([10, key, 'long'])
    refusesRequest([10, key], new Uint8Array(1))
    refusesRequest([11, key, key, 61])
    refusesRequest([11, key, new Uint8Array(64), 5])
    refusesRequest([11, key, new Uint8Array(0), 5])
    refusesRequest([11, new Uint8Array(25 * 32), new Uint8Array(25 * 32), 5])
    refusesRequest([11, key, key])
  })

  test('replies out of bounds are refused', () => {
    const body = new Uint8Array(947)
    const key = new Uint8Array(32)
    refusesReply('slot-put', [9, 9, [947]], body)
    refusesReply('slot-put', [9, 0], body)
    refusesReply('slot-put', [9, 0, [946]], new Uint8Array(946))
    refusesReply('slot-put', [9, 0, [5288]], new Uint8Array(5288))
    refusesReply('slot-put', [9, 0, [947, 947]], body)
    refusesReply('slot-put', [9, 0, []], body)
    refusesReply('slot-put', [9, 0, Array(9).fill(947)], new Uint8Array(9 * 947))
    refusesReply('slot-put', [10, 0, [947]], body)
    refusesReply('slot-get', [10, Array.from({ length: 25 }, () => [])])
    refusesReply('slot-get', [10, [947]], body)
    refusesReply('slot-get', [10, [[947]], []], body)
    refusesReply('slot-get', [10, [[947]], [1]], body)
    refusesReply('slot-get', [10, [[947], []], [0, 0]], body)
    refusesReply('slot-watch', [11, key, []])
    refusesReply('slot-watch', [11, key, [[947], []]], body)
    refusesReply('slot-watch', [11, new Uint8Array(31), [[947]]], body)
  })

  test('no header makes the decoders fail otherwise, or take long', () => {
    const value = fc.oneof(
      fc.integer({ min: 0 }),
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.oneof(fc.nat(2000), fc.array(fc.nat(2000)))),
      fc.string(),
      fc.constant(null),
    )
    const body = fc.constantFrom(0, 946, 947, 1894, 5000).map((length) => new Uint8Array(length))
    fc.assert(
      fc.property(
        fc.constantFrom(9, 10, 11),
        fc.array(value, { maxLength: 4 }),
        body,
        (op, values, rest) => {
          const name = OPS[op - 9] as SlotOp
          for (const decode of [
            () => decodeRequest(headerOf([op, ...values]), rest),
            () => decodeReply(name, headerOf([op, ...values]), rest),
          ]) {
            try {
              decode()
            } catch (error) {
              expect(error).toBeInstanceOf(MalformedMessageError)
            }
          }
        },
      ),
    )
  })
})
