import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { balanceOf, reciprocityOf } from '../../src/cli/grid/reciprocity.ts'

const account = fc.constantFrom('ada', 'bert', 'cleo', 'dora')
const node = fc.record({
  owner: account,
  offeredBytes: fc.nat(1000),
  usage: fc.option(fc.array(fc.record({ account, bytes: fc.nat(500) }), { maxLength: 5 }), {
    nil: undefined,
  }),
})
const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0)

describe('the ledger of a grid', () => {
  it('adds up: what some keep for others is what those store with others, and nothing is left out', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 8 }), (nodes) => {
        const rows = reciprocityOf(nodes, ['ada'])
        const given = sum(rows.map(({ keepsForOthersBytes }) => keepsForOthersBytes))
        const taken = sum(rows.map(({ storesWithOthersBytes }) => storesWithOthersBytes))
        const atHome = sum(rows.map(({ storesAtHomeBytes }) => storesAtHomeBytes))
        expect(given).toBe(taken)
        expect(taken + atHome).toBe(
          sum(nodes.flatMap(({ usage = [] }) => usage.map(({ bytes }) => bytes))),
        )
        expect(sum(rows.map(({ offersBytes }) => offersBytes))).toBe(
          sum(nodes.map(({ offeredBytes }) => offeredBytes)),
        )
        for (const { account: who, with: partners, storesWithOthersBytes } of rows) {
          expect(partners.some((partner) => partner.account === who)).toBe(false)
          expect(sum(partners.map(({ bytes }) => bytes))).toBe(storesWithOthersBytes)
        }
        expect(rows.some(({ account: who }) => who === 'ada')).toBe(true)
        expect(new Set(rows.map(({ account: who }) => who)).size).toBe(rows.length)
      }),
    )
  })

  it.each([
    [0, 0, 'nothing', 0],
    [100, 95, 'even', 5],
    [95, 100, 'even', 5],
    [100, 0, 'gives', 100],
    [10, 100, 'takes', 90],
  ] as const)('calls %d given and %d taken %s', (given, taken, kind, bytes) => {
    const row = { keepsForOthersBytes: given, storesWithOthersBytes: taken }
    expect(balanceOf(row)).toEqual({ kind, bytes })
  })
})
