import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestGrid } from './grid.ts'
import { openLiar } from './liar.ts'
import { noise } from './noise.ts'

let grid: TestGrid

beforeAll(async () => {
  grid = await TestGrid.start(6)
  await grid.run(['put', '-', 'home:photo'], { stdin: noise('kept', 3_000_000) })
})
afterAll(async () => {
  await grid.end()
})

interface HealthJson {
  readonly maintained: boolean
  readonly places: readonly {
    readonly place: string
    readonly healthy: boolean
    readonly mayVanish: number
    readonly verified: string | null
    readonly drill?: { readonly what: string; readonly tried: number; readonly whole: number }
  }[]
  readonly nodes: readonly { readonly node: string; readonly distrusted: boolean }[]
}

interface EventJson {
  readonly kind: string
  readonly node?: string
  readonly sharesPlaced?: number
}

/** One run, and all that it told of. */
async function maintainOnce(statuses: readonly number[] = [0]): Promise<EventJson[]> {
  const run = await grid.run(['maintain', '--once', '--json'])
  expect(statuses, run.stderr).toContain(run.status)
  const lines = run.stdout.split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as EventJson)
}

describe('a home that is looked after', () => {
  it('is told how safe it is, and that some of it can really be had', async () => {
    const before = await grid.json<HealthJson>(['health'])
    expect(before.places).toMatchObject([{ place: 'home:', healthy: true, mayVanish: 3 }])
    expect(before).toMatchObject({ maintained: false })
    const events = await maintainOnce()
    expect(events.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['probed', 'visited', 'audited']),
    )
    const after = await grid.json<HealthJson>(['health', '--drill', '3'])
    expect(after.places[0]?.drill).toMatchObject({ what: 'files', tried: 1, whole: 1 })
    expect(after.places[0]?.verified).not.toBeNull()
  })

  it('is looked after for a friend with the power to verify alone, one at a time', async () => {
    const [folder] = await grid.json<{ capability: string }[]>(['alias', 'list', '--show'])
    const added = await grid.run(['maintain', 'add', '-', '--name', 'friend', '--json'], {
      stdin: Buffer.from(folder?.capability ?? ''),
    })
    expect(JSON.parse(added.stdout)).toEqual({
      name: 'friend',
      kind: 'folder-verify',
      weakened: true,
    })
    const sealed = await readFile(join(grid.home, 'cared.json'), 'utf8')
    expect(sealed).not.toContain('hayfolder')
    const shown = await grid.run(['maintain', 'list', '--show'])
    expect(shown.stdout).toContain('hayfolderverify1')
    expect(shown.stdout).not.toContain('hayfolderwrite1')
    expect(
      (
        await grid.run(['maintain', 'add', '-', '--name', 'friend'], {
          stdin: Buffer.from(folder?.capability ?? ''),
        })
      ).status,
    ).toBe(73)
    expect((await grid.run(['maintain', 'remove', 'friend'])).status).toBe(0)
    expect((await grid.run(['maintain', 'remove', 'friend'])).status).toBe(66)
    expect((await grid.run(['maintain', 'remove', 'home'])).status).toBe(64)
    expect((await grid.run(['health', '--drill', 'x', 'home:'])).status).toBe(64)
    expect((await grid.run(['maintain', '--once', '--budget', '1MB'])).status).toBe(64)
  })

  it('finds a node that says it has everything and has nothing, and moves on without it', async () => {
    const [victim] = grid.nodes
    await grid.stopNodes([victim!.name])
    await using liar = await openLiar(grid, victim!.name)
    liar.lie('claims all')
    const events: EventJson[] = []
    // One failed proof makes it doubted, and then it has to prove more. Each run comes as if a day later.
    const histories = join(grid.home, 'care', 'nodes.json')
    for (let run = 0; run < 4; run++) {
      const text = await readFile(histories, 'utf8')
      await writeFile(histories, text.replaceAll(/"auditedMs": \d+/g, '"auditedMs": 1'))
      events.push(...(await maintainOnce([0, 1])))
      if (events.some(({ kind }) => kind === 'distrusted')) break
    }
    expect(events.filter(({ kind }) => kind === 'distrusted')).toMatchObject([
      { node: victim!.name },
    ])
    const placed = events.reduce((sum, { sharesPlaced = 0 }) => sum + sharesPlaced, 0)
    expect(placed).toBeGreaterThan(0)
    const health = await grid.json<HealthJson>(['health'], [0, 1])
    expect(health.nodes.find(({ node }) => node === victim!.name)).toMatchObject({
      distrusted: true,
    })
    expect(health.places[0]?.mayVanish).toBe(3)
    expect((await grid.run(['health'])).stdout).toContain(`${victim!.name} has a bad reputation`)
    const got = await grid.run(['cat', 'home:photo'])
    expect(got.status).toBe(0)
  })
})
