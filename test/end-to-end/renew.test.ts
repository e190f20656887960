import { afterAll, beforeAll, expect, it } from 'vitest'
import { toVerify } from '../../src/capabilities/capability.ts'
import { slotWriteKey } from '../../src/capabilities/slot-keys.ts'
import { formatCapability } from '../../src/capabilities/text.ts'
import { TestGrid } from './grid.ts'
import { noise } from './noise.ts'

let grid: TestGrid

beforeAll(async () => {
  grid = await TestGrid.start(4)
  expect((await grid.run(['init'])).status).toBe(0)
})
afterAll(async () => {
  await grid.end()
})

interface RenewedJson {
  readonly place: string
  readonly healthy: boolean
  readonly recoverable: boolean
  readonly sharesLeased: number
  readonly copiesLeased: number
  readonly sharesMissing: number
  readonly nodesSilent: readonly string[]
}

it('everything of a home is renewed, or what is named; the status tells how much of it', async () => {
  const put = await grid.run(['put', '-', 'home:d/file'], { stdin: noise('renewed', 100_000) })
  expect(put.status).toBe(0)
  await grid.run(['folder', 'create', '--alias', 'team'])
  const all = await grid.json<RenewedJson[]>(['renew'])
  expect(all.map(({ place }) => place)).toEqual(['home:', 'team:'])
  expect(all.every(({ healthy }) => healthy)).toBe(true)
  const verify = (await grid.run(['capability', 'home:', '--to', 'verify'])).stdout.trim()
  const [file, blind] = await grid.json<RenewedJson[]>(['renew', 'home:d/file', verify])
  expect(file).toMatchObject({ healthy: true, copiesLeased: 0 })
  expect(file!.sharesLeased).toBeLessThan(all[0]!.sharesLeased)
  expect(blind!.sharesLeased).toBeGreaterThanOrEqual(all[0]!.sharesLeased)
  expect((await grid.run(['renew', 'home:nothing'])).status).toBe(66)

  await grid.stopNodes(['node-02'])
  const silent = await grid.run(['renew', '--json'])
  expect(silent.status).toBe(1)
  expect((JSON.parse(silent.stdout) as RenewedJson[])[0]).toMatchObject({
    recoverable: true,
    healthy: false,
    nodesSilent: ['node-02'],
  })
  await grid.startNodes()
  const writeKey = slotWriteKey(noise('a folder that nobody made', 32))
  const nowhere = formatCapability(toVerify({ kind: 'folder-write', writeKey }))
  const lost = await grid.run(['renew', nowhere, 'team:'])
  expect(lost.status).toBe(2)
  expect(lost.stdout).toContain('Lost for now')
  expect(lost.stdout).toMatch(/\nteam: 0 shares and 4 copies/)
})
