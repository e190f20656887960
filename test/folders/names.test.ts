import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { taggedHash } from '../../src/crypto/hash.ts'
import { compareBytes, utf8 } from '../../src/foundation/bytes.ts'
import { checkDevice } from '../../src/folders/devices.ts'
import {
  bitOf,
  checkName,
  compareNames,
  formatPath,
  parsePath,
  placeOf,
} from '../../src/folders/names.ts'
import { names } from './tree/arbitraries.ts'

describe('names', () => {
  it('are taken as they are, if they are names', () => {
    for (const name of ['a', '...', ' ', '.git', 'ä', '水', '\u{1f600}', 'a\\b', 'x'.repeat(255)]) {
      expect(checkName(name)).toBe(name)
    }
    // 85 characters of 3 bytes.
    expect(checkName('水'.repeat(85))).toHaveLength(85)
  })

  it.each([
    ['nothing', ''],
    ['the directory itself', '.'],
    ['its parent', '..'],
    ['a slash', 'a/b'],
    ['a zero character', 'a\0'],
    ['256 bytes', 'x'.repeat(256)],
    ['86 characters of 3 bytes', '水'.repeat(86)],
    ['a decomposed ä', 'a\u0308'],
    ['half a character', '\ud83d'],
  ])('refuse %s', (_, name) => {
    expect(() => checkName(name)).toThrow(expect.objectContaining({ code: 'name-invalid' }))
  })

  it('are ordered by their UTF-8', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '\uffee', '\u{1f600}', '水') })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(compareBytes(utf8(a), utf8(b)))
      }),
    )
  })

  it('have places by their hash under a tag', () => {
    fc.assert(
      fc.property(names, (name) => {
        const place = placeOf(name)
        expect(place).toEqual(taggedHash('hayloft1/name', utf8(name)))
        const bits = Array.from({ length: 16 }, (_, depth) => bitOf(place, depth))
        expect(Number.parseInt(bits.join(''), 2)).toBe(place[0]! * 256 + place[1]!)
      }),
    )
    const longest = checkName('水'.repeat(85))
    expect(placeOf(longest)).toEqual(taggedHash('hayloft1/name', utf8(longest)))
  })

  it('make paths, and paths names', () => {
    expect(parsePath('/a/b c/')).toEqual(['a', 'b c'])
    expect(parsePath('')).toEqual([])
    expect(formatPath(parsePath('a/b'))).toBe('a/b')
    expect(() => parsePath('a//b')).toThrow(expect.objectContaining({ code: 'name-invalid' }))
    expect(() => parsePath('a/../b')).toThrow(expect.objectContaining({ code: 'name-invalid' }))
    expect(() => parsePath('a/'.repeat(256))).toThrow(
      expect.objectContaining({ code: 'path-too-deep' }),
    )
  })

  it('of devices are short and plain', () => {
    expect(checkDevice('')).toBe('')
    expect(checkDevice('Anna’s laptop')).toBe('Anna’s laptop')
    for (const bad of ['x'.repeat(33), 'a/b', ' a', 'a\n', '.', 'a\u0308']) {
      expect(() => checkDevice(bad)).toThrow(expect.objectContaining({ code: 'name-invalid' }))
    }
  })
})
