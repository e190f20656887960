import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../src/foundation/bytes.ts'
import { GRACE_S, isDue, withoutExpired } from '../../src/storage-node/leases.ts'
import {
  decodeAccountRow,
  decodeBlockRow,
  decodeTotals,
  encodeAccountRow,
  encodeBlockRow,
  encodeTotals,
  shareFileName,
  UnreadableIndexError,
} from '../../src/storage-node/rows.ts'
import { testBlock } from '../support/blocks.ts'

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const index = fc.integer({ min: 0, max: 254 })
const row = fc.record({
  shareBytes: u32,
  shares: fc.array(
    fc.record({ index, place: fc.constantFrom('row' as const, 'file' as const), tag: u32 }),
    { maxLength: 255 },
  ),
  leases: fc.array(
    fc.record({ account: u32, index, expiresS: fc.integer({ min: 0, max: 2 ** 48 - 1 }) }),
    { maxLength: 50 },
  ),
})
const sum = fc.maxSafeNat()

test('every row reads back as it was written', () => {
  fc.assert(
    fc.property(row, sum, sum, u32, (block, usedBytes, shares, number) => {
      expect(decodeBlockRow(encodeBlockRow(block))).toEqual(block)
      expect(decodeAccountRow(encodeAccountRow({ number, usedBytes }))).toEqual({
        number,
        usedBytes,
      })
      const totals = { usedBytes, shares, nextAccount: number }
      expect(decodeTotals(encodeTotals(totals))).toEqual(totals)
    }),
  )
})

test('a row of any bytes reads as something or is refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        expect(encodeBlockRow(decodeBlockRow(bytes)).length).toBe(bytes.length)
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableIndexError)
      }
    }),
  )
  for (const at of [0, 11]) {
    expect(() => decodeAccountRow(new Uint8Array(at))).toThrow(UnreadableIndexError)
    expect(() => decodeTotals(new Uint8Array(at))).toThrow(UnreadableIndexError)
  }
})

test('expiry frees exactly the shares without a lease within its grace', () => {
  fc.assert(
    fc.property(row, fc.integer({ min: 0, max: 2 ** 48 }), (block, nowS) => {
      const alive = block.leases.filter(({ expiresS }) => expiresS + GRACE_S > nowS)
      const { row: left, freed } = withoutExpired(block, nowS)
      expect(left.leases).toEqual(alive)
      expect(left.shares.length + freed.length).toBe(block.shares.length)
      for (const share of freed)
        expect(alive.some((lease) => lease.index === share.index)).toBe(false)
      for (const share of left.shares) {
        expect(alive.some((lease) => lease.index === share.index)).toBe(true)
      }
      expect(isDue(block, nowS)).toBe(freed.length > 0 || alive.length < block.leases.length)
      expect(isDue(left, nowS)).toBe(false)
    }),
  )
})

test('the index and the files of a node keep their form', () => {
  const encoded = encodeBlockRow({
    shareBytes: 350_296,
    shares: [
      { index: 2, place: 'file', tag: 0xdeadbeef },
      { index: 7, place: 'row', tag: 1 },
    ],
    leases: [{ account: 3, index: 2, expiresS: 0x1_0000_0001 }],
  })
  expect(toHex(encoded)).toBe('0100055858020201deadbeef0700000000010000000302000100000001')
  const { id } = testBlock(1)
  expect(shareFileName(id, { index: 2, place: 'file', tag: 255 })).toBe(`${toHex(id)}-2-000000ff`)
})
