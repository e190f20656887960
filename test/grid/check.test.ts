import { describe, expect, it } from 'vitest'
import { someBytes, testGrid, threeOfTen } from '../support/grid.ts'

const { required: k, total: n } = threeOfTen

describe('a check of a file', () => {
  it.each(['none', 'audit', 'full'] as const)(
    'counts no more shares than there can be, whatever nodes claim: %s',
    async (verify) => {
      await using grid = await testGrid()
      const file = await grid.store(someBytes(3_000))
      for (const node of grid.nodes.slice(0, 2)) node.lie('exaggerates')
      const { blocks } = await grid.check(file.capability, { verify })
      expect(blocks.map(({ sharesFound }) => sharesFound)).toEqual([n])
      expect(blocks[0]?.holders.every(({ index }) => index < n)).toBe(true)
    },
  )

  it.each(['none', 'audit', 'full'] as const)(
    'does not call lost what nodes may have that do not answer: %s',
    async (verify) => {
      await using grid = await testGrid()
      const file = await grid.store(someBytes(3_000))
      const away = grid.holders(file).slice(0, n - k + 1)
      for (const node of away) node.crash()
      const unknown = { recoverable: 'unknown', healthy: false }
      expect(await grid.check(file.capability, { verify })).toMatchObject(unknown)
      for (const node of away) await grid.run(() => node.empty())
      const lost = { recoverable: false, healthy: false, nodesSilent: [] }
      expect(await grid.check(file.capability, { verify })).toMatchObject(lost)
    },
  )

  it('is certain of what it sees, though some nodes do not answer', async () => {
    await using grid = await testGrid()
    const file = await grid.store(someBytes(3_000))
    for (const node of grid.holders(file).slice(0, n - k)) node.crash()
    expect(await grid.check(file.capability)).toMatchObject({ recoverable: true, healthy: false })
  })
})
