import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { erasureCode } from '../../src/erasure/code.ts'
import { loadErasureEngine, portableEngine } from '../../src/erasure/engines.ts'
import { encodeBlock } from '../../src/grid/blocks/encode.ts'
import { encodeFrame, type BlockFrame, type Link } from '../../src/grid/blocks/frame.ts'
import {
  convergentKey,
  openBlock,
  openLinks,
  sealedBytes,
  sealFrame,
} from '../../src/grid/blocks/seal.ts'
import { BrokenFileError } from '../../src/grid/errors.ts'
import { childrenOf, indexFrame, INDEX_FAN_OUT } from '../../src/grid/files/index-node.ts'
import { verifyKeyOf } from '../../src/crypto/block-keys.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { paddedBytes } from '../../src/protocol/padding.ts'
import { slotKey } from '../../src/protocol/slot-key.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const anyLink: fc.Arbitrary<Link> = fc.oneof(
  fc.record({
    type: fc.constantFrom('block' as const, 'history' as const),
    id: bytes32.map(blockId),
    verifyKey: bytes32,
  }),
  fc.record({ type: fc.constant('slot' as const), slot: bytes32.map(slotKey), verifyKey: bytes32 }),
)
const anyFrame: fc.Arbitrary<BlockFrame> = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  level: fc.integer({ min: 0, max: 255 }),
  links: fc.array(anyLink, { maxLength: 20 }),
  content: fc.uint8Array({ maxLength: 3000 }),
})

function seal(key: Uint8Array, frame: BlockFrame): Uint8Array {
  const encoded = encodeFrame(frame)
  const sealed = new Uint8Array(sealedBytes(encoded))
  sealFrame(key, encoded, sealed)
  return sealed
}

describe('padding', () => {
  it('never shrinks, adds at most 6.2 % over the floor, and leaves few sizes', () => {
    const sizes = new Set<number>()
    let before = 0
    for (let length = 0; length <= 1024 * 1024; length += length < 8192 ? 1 : 61) {
      const padded = paddedBytes(length)
      expect(padded).toBeGreaterThanOrEqual(Math.max(length, before))
      if (length >= 512) expect(padded).toBeLessThanOrEqual(length * 1.0625)
      sizes.add(padded)
      before = padded
    }
    expect(paddedBytes(1024 * 1024)).toBe(1024 * 1024)
    expect(sizes.size).toBeLessThanOrEqual(241)
  })
})

describe('a sealed block', () => {
  it('opens to what was sealed, and with the verify key to its links alone', () => {
    fc.assert(
      fc.property(bytes32, anyFrame, (key, frame) => {
        const sealed = seal(key, frame)
        expect(openBlock(key, sealed)).toEqual(frame)
        expect(openLinks(verifyKeyOf(key), sealed)).toEqual(frame.links)
        expect(() => openBlock(verifyKeyOf(key), sealed)).toThrow(BrokenFileError)
      }),
      { numRuns: 50 },
    )
  })

  it('is refused with a link of a type that is none', () => {
    fc.assert(
      fc.property(bytes32, anyFrame, anyLink, fc.integer({ min: 3, max: 255 }), (key, ...rest) => {
        const [frame, link, type] = rest
        const encoded = encodeFrame({ ...frame, links: [...frame.links, link] })
        encoded.links[frame.links.length * 65] = type
        const sealed = new Uint8Array(sealedBytes(encoded))
        sealFrame(key, encoded, sealed)
        expect(() => openBlock(key, sealed)).toThrow(BrokenFileError)
        expect(() => openLinks(verifyKeyOf(key), sealed)).toThrow(BrokenFileError)
      }),
      { numRuns: 20 },
    )
  })

  it('has a length that depends on the padded size alone', () => {
    fc.assert(
      fc.property(bytes32, anyFrame, (key, frame) => {
        const plain = frame.links.length * 65 + frame.content.length
        expect(seal(key, frame)).toHaveLength(68 + paddedBytes(plain))
      }),
      { numRuns: 50 },
    )
  })

  it('is refused when any bit of it is flipped', () => {
    fc.assert(
      fc.property(bytes32, anyFrame, fc.nat(), (key, frame, at) => {
        const sealed = seal(key, frame)
        const bit = at % (sealed.length * 8)
        sealed[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => openBlock(key, sealed)).toThrow(BrokenFileError)
      }),
    )
  })
})

describe('convergence', () => {
  const code = erasureCode(3, 10)
  const engine = loadErasureEngine()

  it('gives equal content under one secret equal ids, and under another no share in common', () => {
    fc.assert(
      fc.property(bytes32, bytes32, anyFrame, (ours, theirs, frame) => {
        fc.pre(Buffer.compare(ours, theirs) !== 0)
        const encoded = encodeFrame(frame)
        const encode = (secret: Uint8Array): ReturnType<typeof encodeBlock> =>
          encodeBlock(engine, { key: convergentKey(secret, encoded), frame: encoded, code })
        expect(encode(ours)).toEqual(encode(ours))
        const [mine, other] = [encode(ours), encode(theirs)]
        expect(mine.id).not.toEqual(other.id)
        mine.shards.forEach((shard, index) => {
          expect(shard).not.toEqual(other.shards[index])
        })
      }),
      { numRuns: 20 },
    )
  })

  it('names the same shares whichever engine made them', () => {
    fc.assert(
      fc.property(bytes32, anyFrame, (key, frame) => {
        const encoded = encodeFrame(frame)
        const native = encodeBlock(engine, { key, frame: encoded, code })
        expect(encodeBlock(portableEngine, { key, frame: encoded, code })).toEqual(native)
      }),
      { numRuns: 20 },
    )
  })
})

describe('a file index', () => {
  it('gives back its children', () => {
    const child = fc.record({
      id: bytes32.map(blockId),
      key: bytes32,
      sizeBytes: fc.integer({ min: 1, max: 1024 * 1024 }),
    })
    fc.assert(
      fc.property(fc.array(child, { minLength: 1, maxLength: 30 }), (children) => {
        expect(childrenOf(indexFrame(1, children))).toMatchObject(children)
      }),
    )
  })

  it('fits one block when it is full', () => {
    const child = { id: blockId(new Uint8Array(32)), key: new Uint8Array(32), sizeBytes: 1 }
    const full = Array.from({ length: INDEX_FAN_OUT }, () => child)
    expect(encodeFrame(indexFrame(4, full)).whole.length).toBeLessThan(1024 * 1024)
  })
})
