import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { dropOldest } from '../../src/foundation/newest.ts'

it('keeps the newest of what came, and at most so many', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat()), fc.nat(20), (keys, most) => {
      const [set, map] = [new Set(keys), new Map(keys.map((key) => [key, key]))]
      dropOldest(set, most)
      dropOldest(map, most)
      const newest = keys.slice(Math.max(0, keys.length - most))
      expect([...set]).toEqual(newest)
      expect([...map.keys()]).toEqual(newest)
    }),
  )
})
