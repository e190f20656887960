import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/foundation/bytes.ts'
import { sha256Parts } from '../../src/crypto/hash.ts'
import {
  LEAF_BYTES,
  leafCount,
  merkleProof,
  merkleRoot,
  merkleRootOfLeaves,
  verifyMerkleRange,
} from '../../src/crypto/merkle.ts'
import frozen from '../vectors/crypto-frozen.json' with { type: 'json' }
import { bytes, flipBit } from './support.ts'

/** RFC 6962 §2.1 word for word: slow, recursive, and the oracle. */
function treeHash(leaves: Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return sha256Parts([])
  if (leaves.length === 1) return sha256Parts([Uint8Array.of(0), only])
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  const children = [treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split))]
  return sha256Parts([Uint8Array.of(1), ...children])
}

function leavesOf(data: Uint8Array): Uint8Array[] {
  return Array.from({ length: leafCount(data.length) }, (_, i) => leafRange(data, i, 1))
}

function leafRange(data: Uint8Array, first: number, count: number): Uint8Array {
  return data.subarray(first * LEAF_BYTES, (first + count) * LEAF_BYTES)
}

/** SHA-256 of a counter, one after another. */
function pattern(length: number): Uint8Array {
  const data = new Uint8Array(Math.ceil(length / 32) * 32)
  for (let i = 0; i * 32 < length; i++) {
    const counter = Uint8Array.of(i >>> 24, i >>> 16, i >>> 8, i)
    data.set(sha256Parts([counter]), i * 32)
  }
  return data.subarray(0, length)
}

const MAX_LEAVES = 20
const source = pattern(MAX_LEAVES * LEAF_BYTES)

/** A tree with a range of its leaves. */
const ranges = fc
  .record({ length: fc.integer({ min: 1, max: source.length }), a: fc.nat(), b: fc.nat() })
  .map(({ length, a, b }) => {
    const leaves = leafCount(length)
    const firstLeaf = a % leaves
    return { data: source.subarray(0, length), firstLeaf, count: 1 + (b % (leaves - firstLeaf)) }
  })

describe('the root', () => {
  it('is that of the recursive definition', () => {
    fc.assert(
      fc.property(fc.array(bytes(0, 40), { maxLength: 40 }), (leaves) => {
        expect(merkleRootOfLeaves(leaves)).toEqual(treeHash(leaves))
      }),
    )
    for (let leaves = 0; leaves <= MAX_LEAVES; leaves++) {
      const data = source.subarray(0, leaves * LEAF_BYTES)
      expect(merkleRoot(data)).toEqual(treeHash(leavesOf(data)))
    }
  })

  it('changes with any bit and with the length', () => {
    fc.assert(
      fc.property(ranges, fc.nat(), ({ data }, bit) => {
        const root = merkleRoot(data)
        expect(merkleRoot(flipBit(data, bit))).not.toEqual(root)
        expect(merkleRoot(data.subarray(0, -1))).not.toEqual(root)
      }),
      { numRuns: 30 },
    )
  })

  it.each(Object.entries(frozen.merkle.roots))('of %s bytes is frozen', (length, root) => {
    expect(toHex(merkleRoot(pattern(Number(length))))).toBe(root)
  })
})

describe('a proof', () => {
  it('convinces for every range of every small tree', () => {
    for (let leaves = 1; leaves <= 9; leaves++) {
      const data = source.subarray(0, leaves * LEAF_BYTES - 5)
      const root = merkleRoot(data)
      for (let firstLeaf = 0; firstLeaf < leaves; firstLeaf++) {
        for (let count = 1; firstLeaf + count <= leaves; count++) {
          const proof = merkleProof(data, firstLeaf, count)
          const range = leafRange(data, firstLeaf, count)
          const claim = { root, length: data.length, firstLeaf, bytes: range, proof }
          expect(verifyMerkleRange(claim)).toBe(true)
          expect(proof.length === 0).toBe(count === leaves)
        }
      }
    }
  })

  it('has at most two hashes a level', () => {
    fc.assert(
      fc.property(ranges, ({ data, firstLeaf, count }) => {
        const levels = Math.ceil(Math.log2(leafCount(data.length)))
        expect(merkleProof(data, firstLeaf, count).length).toBeLessThanOrEqual(2 * levels * 32)
      }),
      { numRuns: 40 },
    )
  })

  it('convinces of nothing else', () => {
    fc.assert(
      fc.property(ranges, fc.nat(), ({ data, firstLeaf, count }, any) => {
        const leaves = leafCount(data.length)
        const claim = {
          root: merkleRoot(data),
          length: data.length,
          firstLeaf,
          bytes: leafRange(data, firstLeaf, count),
          proof: merkleProof(data, firstLeaf, count),
        }
        expect(verifyMerkleRange(claim)).toBe(true)
        const lies = [
          { ...claim, root: flipBit(claim.root, any) },
          { ...claim, bytes: flipBit(claim.bytes, any) },
          { ...claim, bytes: claim.bytes.subarray(1) },
          { ...claim, bytes: claim.bytes.subarray(0, -1) },
          { ...claim, bytes: new Uint8Array(0) },
          { ...claim, proof: new Uint8Array(claim.proof.length + 32) },
          { ...claim, proof: new Uint8Array(claim.proof.length + 1) },
          { ...claim, root: claim.root.subarray(1) },
        ]
        for (const bad of [-1, 0.5, Number.NaN, leaves, 2 ** 53]) {
          lies.push({ ...claim, firstLeaf: bad })
        }
        if (leaves > 1)
          lies.push({ ...claim, firstLeaf: (firstLeaf + 1 + (any % (leaves - 1))) % leaves })
        if (claim.proof.length > 0) {
          lies.push(
            { ...claim, proof: flipBit(claim.proof, any) },
            { ...claim, proof: claim.proof.subarray(32) },
          )
        }
        for (const lie of lies) expect(verifyMerkleRange(lie)).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  it('convinces of no other length where the last leaf is shown', () => {
    fc.assert(
      fc.property(
        ranges,
        fc.integer({ min: 1, max: source.length }),
        ({ data, firstLeaf }, other) => {
          fc.pre(other !== data.length)
          const count = leafCount(data.length) - firstLeaf
          const claim = {
            root: merkleRoot(data),
            length: other,
            firstLeaf,
            bytes: leafRange(data, firstLeaf, count),
            proof: merkleProof(data, firstLeaf, count),
          }
          expect(verifyMerkleRange(claim)).toBe(false)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('never takes a node for a leaf', () => {
    const data = source.subarray(0, 2 * LEAF_BYTES)
    const children = [0, 1].map((i) => treeHash([leafRange(data, i, 1)]))
    const bytes = new Uint8Array(Buffer.concat(children))
    const claim = { root: merkleRoot(data), length: 64, firstLeaf: 0, proof: new Uint8Array(0) }
    expect(verifyMerkleRange({ ...claim, bytes })).toBe(false)
  })
})
