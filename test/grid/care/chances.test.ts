import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  chanceOfTooFew,
  mayVanish,
  MOST_ENTANGLED,
  poissonBinomial,
} from '../../../src/grid/care/chances.ts'
import type { Holding } from '../../../src/grid/nodes/survey.ts'
import type { NodeKey } from '../../../src/protocol/node-key.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as NodeKey[]
const chances = fc.double({ min: 0, max: 1, noNaN: true })
const holding = fc.record({ index: fc.nat({ max: 5 }), node: fc.constantFrom(...names) })
const holdings = fc.array(holding, { maxLength: 14 })
const ofNodes = fc.array(chances, { minLength: names.length, maxLength: names.length })

/** Every way in which nodes can be there or away, one by one. */
function bruteForce(
  held: readonly Holding[],
  required: number,
  chanceOf: (node: NodeKey) => number,
): number {
  let sum = 0
  for (let ways = 0; ways < 2 ** names.length; ways++) {
    const isThere = (node: NodeKey): boolean => ((ways >> names.indexOf(node)) & 1) === 1
    const left = new Set(held.filter(({ node }) => isThere(node)).map(({ index }) => index))
    if (left.size >= required) continue
    sum += names.reduce(
      (product, node) => product * (isThere(node) ? chanceOf(node) : 1 - chanceOf(node)),
      1,
    )
  }
  return sum
}

describe('the Poisson binomial distribution', () => {
  it('adds up to one and has the mean of its parts', () => {
    fc.assert(
      fc.property(fc.array(chances, { maxLength: 30 }), (all) => {
        const distribution = poissonBinomial(all)
        expect(distribution).toHaveLength(all.length + 1)
        expect(distribution.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9)
        const mean = distribution.reduce((sum, each, at) => sum + each * at, 0)
        expect(mean).toBeCloseTo(
          all.reduce((sum, each) => sum + each, 0),
          7,
        )
      }),
    )
  })

  it('is the binomial one where all chances are equal', () => {
    const [n, p] = [10, 0.9]
    const choose = (k: number): number => (k === 0 ? 1 : (choose(k - 1) * (n - k + 1)) / k)
    poissonBinomial(Array.from({ length: n }, () => p)).forEach((chance, k) => {
      expect(chance).toBeCloseTo(choose(k) * p ** k * (1 - p) ** (n - k), 12)
    })
  })
})

describe('the chance that too few shares are there', () => {
  it('is what trying every case gives, however shares and nodes are tied together', () => {
    fc.assert(
      fc.property(holdings, fc.integer({ min: 1, max: 4 }), ofNodes, (held, required, all) => {
        const chanceOf = (node: NodeKey): number => all[names.indexOf(node)] ?? 0
        expect(chanceOfTooFew(held, required, chanceOf)).toBeCloseTo(
          bruteForce(held, required, chanceOf),
          9,
        )
      }),
    )
  })

  it('never grows with better nodes or more shares, nor shrinks as more are required', () => {
    fc.assert(
      fc.property(
        holdings,
        holding,
        fc.integer({ min: 1, max: 4 }),
        ofNodes,
        chances,
        (held, more, required, all, better) => {
          const chanceOf = (node: NodeKey): number => all[names.indexOf(node)] ?? 0
          const chance = chanceOfTooFew(held, required, chanceOf)
          expect(chanceOfTooFew([...held, more], required, chanceOf)).toBeLessThanOrEqual(
            chance + 1e-9,
          )
          expect(chanceOfTooFew(held, required + 1, chanceOf)).toBeGreaterThanOrEqual(chance - 1e-9)
          const betterOf = (node: NodeKey): number => Math.max(chanceOf(node), better)
          expect(chanceOfTooFew(held, required, betterOf)).toBeLessThanOrEqual(chance + 1e-9)
        },
      ),
    )
  })

  it('keeps the digits of what is very unlikely', () => {
    const held = Array.from({ length: 10 }, (_, index) => ({ index, node: `${index}` as NodeKey }))
    // All but two or less of ten nodes off, at 0.1 % each: 45 ways for eight, and next to nothing for nine and ten.
    const chance = chanceOfTooFew(held, 3, () => 0.999)
    expect(chance / (45 * 1e-24)).toBeCloseTo(1, 2)
  })

  it('is no less than the truth where too many nodes are tied together to tell', () => {
    const nodes = Array.from({ length: MOST_ENTANGLED + 2 }, (_, at) => `${at}` as NodeKey)
    const held = nodes.flatMap((node, at) => [
      { index: at, node },
      { index: (at + 1) % nodes.length, node },
    ])
    const apart = nodes.map((node, index) => ({ index, node }))
    expect(chanceOfTooFew(held, 3, () => 0.5)).toBeCloseTo(
      chanceOfTooFew(apart, 3, () => 0.5),
      12,
    )
  })
})

describe('how many households may vanish', () => {
  it('is the most that leaves enough whichever vanish', () => {
    const zones = ['x', 'y', 'z', 'w', 'v']
    fc.assert(
      fc.property(
        holdings,
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat({ max: 4 }), { minLength: 7, maxLength: 7 }),
        (held, required, dealt) => {
          const zoneOf = (node: NodeKey): string => zones[dealt[names.indexOf(node)] ?? 0] ?? ''
          const used = [...new Set(held.map(({ node }) => zoneOf(node)))]
          let expected = -1
          for (let ways = 0; ways < 2 ** used.length; ways++) {
            const left = new Set(
              held
                .filter(({ node }) => ((ways >> used.indexOf(zoneOf(node))) & 1) === 0)
                .map(({ index }) => index),
            )
            const count = ways.toString(2).replaceAll('0', '').length
            if (left.size < required) expected = expected === -1 ? count : Math.min(expected, count)
          }
          expect(mayVanish(held, required, zoneOf)).toBe(expected - 1)
        },
      ),
    )
  })
})
