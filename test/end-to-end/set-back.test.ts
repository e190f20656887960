import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deviceWordFrom } from './founder.ts'
import { TestGrid } from './grid.ts'
import { hayloft } from '../support/hayloft.ts'

let grid: TestGrid

beforeAll(async () => {
  grid = await TestGrid.start(3)
})
afterAll(async () => {
  await grid.end()
})

interface HistoryJson {
  readonly history: readonly { readonly device: string; readonly files: number | null }[]
}

async function put(name: string, content: string): Promise<void> {
  const file = join(grid.dir, name)
  await writeFile(file, content)
  await grid.json(['put', file, `home:${name}`])
}

async function names(home = grid.home): Promise<string[]> {
  const { stdout } = await hayloft(['ls', 'home:', '--json'], { home })
  const { entries } = JSON.parse(stdout) as { entries: { name: string }[] }
  return entries.map(({ name }) => name)
}

/** Has every node go back to what it kept when {@link backUp} was called. */
async function setAllBack(): Promise<void> {
  await grid.stopNodes([])
  for (const { home } of grid.nodes) {
    await rm(join(home, 'store'), { recursive: true })
    await cp(join(home, 'backup'), join(home, 'store'), { recursive: true })
  }
  await grid.startNodes()
}

async function backUp(): Promise<void> {
  await grid.stopNodes([])
  for (const { home } of grid.nodes) {
    await rm(join(home, 'backup'), { recursive: true, force: true })
    await cp(join(home, 'store'), join(home, 'backup'), { recursive: true })
  }
  await grid.startNodes()
}

it('a folder whose newer state is gone with all nodes set back says so, and goes on from the older one', async () => {
  const other = join(grid.dir, 'other')
  await put('old', 'as it was, '.repeat(100))
  await put('kept', 'as it is, '.repeat(100))
  const word = await deviceWordFrom(
    grid.home,
    grid.nodes.flatMap(({ addresses }) => addresses),
  )
  expect((await hayloft(['grid', 'join', '-'], { home: other, stdin: word })).status).toBe(0)
  await backUp()
  await put('new', 'what comes later, '.repeat(100))
  await grid.json(['rm', 'home:old'])
  await setAllBack()

  const refused = await grid.run(['ls', 'home:', '--json'])
  expect(refused.status).toBe(2)
  expect(refused.stderr).toContain('"folder-set-back"')
  expect(refused.stderr).toMatch(/\(of \d{4}-\d\d-\d\d [\d:]{8} UTC by .+\)/)
  // The next command says the same, though nodes have got back by now what was remembered.
  const again = await grid.run(['put', join(grid.dir, 'old'), 'home:again'])
  expect(again.status).toBe(2)
  expect(again.stderr).toContain('folder accept')
  expect((await grid.json<HistoryJson>(['history', 'home:'])).history[0]?.files).toBeNull()

  const accepted = await grid.json(['folder', 'accept', 'home:'])
  expect(accepted).toMatchObject({ place: 'home:', kept: {}, gone: {} })
  expect(await names()).toEqual(['kept', 'old'])
  await put('new', 'what comes later, '.repeat(100))
  expect(await names()).toEqual(['kept', 'new', 'old'])
  expect((await grid.run(['cat', 'home:old'])).stdout).toContain('as it was')
  // Others follow, those that have seen nothing of it as well.
  expect(await names(other)).toEqual(['kept', 'new', 'old'])
  const past = (await grid.json<HistoryJson>(['history', 'home:'])).history
  expect(past.map(({ files }) => files)).toEqual([3, 2, null, 2, 1, 0])
  const nothing = await grid.run(['folder', 'accept', 'home:', '--json'])
  expect(nothing.status).toBe(66)
  expect(nothing.stderr).toContain('"nothing-set-back"')
})
