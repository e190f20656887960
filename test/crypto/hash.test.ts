import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, toHex } from '../../src/foundation/bytes.ts'
import { readKeyOf, verifyKeyOf } from '../../src/crypto/block-keys.ts'
import { deriveKey, prf, sha256, sha256Parts, taggedHash } from '../../src/crypto/hash.ts'
import { KEY_LABELS, MIN_TAG_BYTES, TAGS } from '../../src/crypto/tags.ts'
import frozen from '../vectors/crypto-frozen.json' with { type: 'json' }
import { bytes, hex } from './support.ts'

const tags = Object.values(TAGS)
const labels = Object.values(KEY_LABELS)

describe('tags', () => {
  it('are distinct, ASCII and long enough never to meet a prefix of one byte', () => {
    expect(new Set(tags).size).toBe(tags.length)
    for (const tag of tags) {
      expect(tag).toMatch(/^[!-~]+$/)
      expect(tag.length).toBeGreaterThanOrEqual(MIN_TAG_BYTES)
      expect(tag.length).toBeLessThan(256)
    }
  })

  it('and labels are distinct, even as derived keys', () => {
    const secret = new Uint8Array(32)
    const all = labels.map((label) => toHex(deriveKey(secret, label)))
    expect(new Set(all).size).toBe(labels.length)
  })
})

describe('hashes', () => {
  it('do not depend on how the input is cut', () => {
    fc.assert(
      fc.property(fc.array(bytes(0, 60), { maxLength: 5 }), bytes(32), (parts, key) => {
        const whole = concatBytes(parts)
        expect(sha256Parts(parts)).toEqual(sha256(whole))
        expect(taggedHash(TAGS.name, ...parts)).toEqual(taggedHash(TAGS.name, whole))
        expect(prf(key, TAGS.blockKey, ...parts)).toEqual(prf(key, TAGS.blockKey, whole))
      }),
    )
  })

  it('differ from tag to tag and from key to key', () => {
    fc.assert(
      fc.property(bytes(0, 60), bytes(32), (message, key) => {
        const all = tags.flatMap((tag) => [
          toHex(taggedHash(tag, message)),
          toHex(prf(key, tag, message)),
        ])
        expect(new Set(all).size).toBe(all.length)
      }),
    )
  })
})

describe('frozen answers', () => {
  const secret = hex(frozen.secret)
  const message = hex(frozen.message)

  it.each(tags)('for the tag %s', (tag) => {
    expect(toHex(taggedHash(tag, message))).toBe(frozen.taggedHash[tag])
    expect(toHex(prf(secret, tag, message))).toBe(frozen.prf[tag])
  })

  it.each(labels)('for the label %s', (label) => {
    expect(toHex(deriveKey(secret, label))).toBe(frozen.deriveKey[label])
  })

  it('for the two keys of a block', () => {
    expect(toHex(verifyKeyOf(secret))).toBe(frozen.deriveKey.verify)
    expect(toHex(readKeyOf(secret))).toBe(frozen.deriveKey.read)
  })
})
