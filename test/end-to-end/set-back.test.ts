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
}, 180_000)

it('a file that changes and whose newer content is gone says so, and goes on from the older one', async () => {
  const file = join(grid.dir, 'letter')
  await writeFile(file, 'what it said first, '.repeat(100))
  const { capability } = await grid.json<{ capability: string }>(['mutable', 'create', file])
  const cap = join(grid.dir, 'letter.cap')
  await writeFile(cap, capability)
  await grid.json(['ln', capability, 'home:letter'])
  await backUp()
  const putNext = async (content: string): Promise<void> => {
    await writeFile(file, content.repeat(100))
    await grid.json(['put', file, `@${cap}`])
  }
  await putNext('what it said next, ')
  await setAllBack()

  for (const place of [`@${cap}`, 'home:letter']) {
    const refused = await grid.run(['get', place, '-o', join(grid.dir, 'got'), '--json'])
    expect(refused.status).toBe(2)
    expect(refused.stderr).toContain('"file-set-back"')
    expect(refused.stderr).toContain('mutable accept')
  }
  const folder = await grid.run(['mutable', 'accept', 'home:kept', '--json'])
  expect(folder.status).toBe(64)
  const accepted = await grid.json(['mutable', 'accept', 'home:letter'])
  expect(accepted).toMatchObject({ place: 'home:letter', kept: {}, gone: {}, health: 'healthy' })
  expect((await grid.run(['cat', `@${cap}`])).stdout).toContain('what it said first')
  await putNext('what it says now, ')
  expect((await grid.run(['cat', 'home:letter'])).stdout).toContain('what it says now')
  const { history } = await grid.json<{ history: unknown[] }>(['history', `@${cap}`])
  // Now, what was accepted, what is gone, and what was there first.
  expect(history).toHaveLength(4)
  const nothing = await grid.run(['mutable', 'accept', `@${cap}`, '--json'])
  expect(nothing.status).toBe(66)
  expect(nothing.stderr).toContain('"nothing-set-back"')
}, 180_000)
