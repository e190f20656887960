import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasTag, requestedRange } from '../../../src/gateway/api/ranges.ts'

const etag = '"v1"'
const asked = (range: string | undefined, sizeBytes: number, ifRange?: string): unknown =>
  requestedRange({ range, ifRange }, { sizeBytes, etag })

describe('a range', () => {
  it('is never outside of the file, and what is asked for within it', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(1100), fc.nat(1100), (sizeBytes, first, last) => {
        const range = requestedRange(
          { range: `bytes=${first}-${last}`, ifRange: undefined },
          { sizeBytes, etag },
        )
        if (last < first) expect(range).toEqual({ kind: 'all' })
        else if (first >= sizeBytes) expect(range).toEqual({ kind: 'unsatisfiable' })
        else {
          const end = Math.min(last + 1, sizeBytes)
          expect(range).toEqual({ kind: 'part', offset: first, length: end - first })
        }
      }),
    )
  })

  it.each([
    [undefined, { kind: 'all' }],
    ['bytes=5-', { kind: 'part', offset: 5, length: 5 }],
    ['bytes=-3', { kind: 'part', offset: 7, length: 3 }],
    ['bytes=-30', { kind: 'part', offset: 0, length: 10 }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    ['bytes=10-', { kind: 'unsatisfiable' }],
    ['bytes=0-1,4-5', { kind: 'all' }],
    ['bytes=-', { kind: 'all' }],
    ['lines=1-2', { kind: 'all' }],
    [`bytes=${'9'.repeat(40)}-`, { kind: 'all' }],
  ])('%s of ten bytes', (range, expected) => {
    expect(asked(range, 10)).toEqual(expected)
  })

  it('of another version gets all of this one', () => {
    expect(asked('bytes=0-1', 10, '"v0"')).toEqual({ kind: 'all' })
    expect(asked('bytes=0-1', 10, etag)).toMatchObject({ kind: 'part' })
  })
})

describe('a list of tags', () => {
  it.each([
    ['*', '"a"', true],
    ['*', undefined, false],
    ['"a"', '"a"', true],
    ['"b", W/"a"', '"a"', true],
    ['"b"', '"a"', false],
    ['a', '"a"', false],
  ])('%s has %s: %s', (list, tag, expected) => {
    expect(hasTag(list, tag)).toBe(expected)
  })
})
