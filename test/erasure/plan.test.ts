import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erasureCode } from '../../src/erasure/code.ts'
import { decodingPlan, encodingPlan, packetSize } from '../../src/erasure/plan.ts'

describe('packets', () => {
  test('divide every shard into whole stripes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.constantFrom(4 as const, 8 as const),
        fc.integer({ min: 1, max: 200_000 }),
        (inputs, packetsPerStripe, words) => {
          const packet = packetSize({ inputs, packetsPerStripe }, 8 * words)
          expect(Number.isInteger(packet)).toBe(true)
          expect((8 * words) % (packet * packetsPerStripe)).toBe(0)
        },
      ),
    )
  })

  test.each([
    // 13 packets of 80,656 bytes fit 1 MiB, of 80,664 they do not.
    [3, 4, 4 * 80_656, 80_656],
    [3, 4, 4 * 80_664, 40_332],
    // A full block: 1 MiB and 68 bytes of frame.
    [3, 4, 349_552, 43_694],
    // An odd packet stays whole, however long.
    [3, 4, 4 * 1_000_001, 1_000_001],
    [24, 8, 8 * 5440, 2720],
    [24, 8, 8, 1],
  ] as const)('of %d shards, %d a stripe, in %d bytes have %d', (inputs, w, shardBytes, packet) => {
    expect(packetSize({ inputs, packetsPerStripe: w }, shardBytes)).toBe(packet)
  })
})

describe('plans', () => {
  test('are made once for a code and a set of shards', () => {
    const code = erasureCode(3, 10)
    const shards = { available: [1, 4, 9], wanted: [0] }
    expect(encodingPlan(code)).toBe(encodingPlan(erasureCode(3, 10)))
    expect(decodingPlan(code, shards)).toBe(decodingPlan(code, { ...shards }))
    expect(decodingPlan(code, shards)).not.toBe(decodingPlan(code, { ...shards, wanted: [2] }))
  })

  test('are forgotten, oldest first, where there are too many', () => {
    const code = erasureCode(12, 255)
    const kept = encodingPlan(code)
    const wanted = Array.from({ length: 20 }, (_, index) => 12 * index)
    const first = decodingPlan(code, { available: consecutive(0), wanted })
    for (let start = 1; start < 240; start++) {
      decodingPlan(code, { available: consecutive(start), wanted })
      expect(encodingPlan(code)).toBe(kept)
    }
    expect(decodingPlan(code, { available: consecutive(0), wanted })).not.toBe(first)
  })

  test('rebuild a lost data shard from the first parity shard by XOR alone', () => {
    const { sources } = decodingPlan(erasureCode(3, 10), { available: [1, 2, 3], wanted: [0] })
    expect(sources.map((packets) => Array.from(packets))).toEqual([
      [0, 4, 8],
      [1, 5, 9],
      [2, 6, 10],
      [3, 7, 11],
    ])
  })
})

function consecutive(start: number): number[] {
  return Array.from({ length: 12 }, (_, index) => start + index)
}
