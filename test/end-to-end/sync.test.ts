import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { TestGrid, until } from './grid.ts'
import { noise } from './noise.ts'
import { entriesBelow } from '../support/entries.ts'

/** Two computers of one person, with a directory each that is synced with the same folder. */
let grid: TestGrid
let dir: string
const daemons = new Map<string, ChildProcess>()
const NAMES = ['desk', 'lap']

beforeAll(async () => {
  grid = await TestGrid.start(4)
  dir = await mkdtemp(join(tmpdir(), 'hayloft-sync-'))
  const { word } = await grid.json<{ word: string }>(['device', 'add'])
  const joined = await hayloft(['grid', 'join', '-', '--json'], {
    home: homeOf('lap'),
    stdin: word,
  })
  expect(joined).toMatchObject({ status: 0 })
  for (const name of NAMES) await mkdir(at(name))
})
afterAll(async () => {
  for (const daemon of daemons.values()) daemon.kill('SIGKILL')
  await grid.end()
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

const homeOf = (name: string): string => (name === 'desk' ? grid.home : join(dir, `${name} home`))
const at = (name: string, ...names: string[]): string => join(dir, name, ...names)

async function run(name: string, args: readonly string[]): Promise<Run> {
  return await hayloft(args, { home: homeOf(name) })
}

async function start(name: string): Promise<void> {
  const { child } = startHayloft(['start'], { home: homeOf(name) })
  daemons.set(name, child)
  await until(async () => await Promise.resolve(child.exitCode === null))
}

async function kill(name: string): Promise<void> {
  const daemon = daemons.get(name)
  if (daemon?.exitCode !== null) return
  daemon.kill('SIGKILL')
  await once(daemon, 'exit')
}

/** Path → content; the program's own directory is left out. */
async function listing(name: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const entry of await entriesBelow(at(name))) {
    const path = join(entry.parentPath, entry.name).slice(at(name).length + 1)
    if (!path.startsWith('.hayloft') && entry.isFile()) {
      found[path] = await readFile(at(name, path), 'latin1')
    }
  }
  return found
}

async function untilEqual(check: (files: Record<string, string>) => boolean): Promise<void> {
  await until(async () => {
    // What moves while it is looked at is looked at again.
    const looks = NAMES.map(async (name) => await listing(name).catch(() => undefined))
    const [desk, lap] = await Promise.all(looks)
    if (desk === undefined || lap === undefined) return false
    return JSON.stringify(desk) === JSON.stringify(lap) && check(desk)
  })
}

describe('a directory on two computers', () => {
  it('is the same on both', async () => {
    await writeFile(at('desk', 'small'), 'hay')
    await mkdir(at('desk', 'sub', 'deep'), { recursive: true })
    await writeFile(at('desk', 'sub', 'deep', 'large'), noise('synced', 2_500_000))
    const added = await run('desk', ['sync', 'add', at('desk'), 'home:synced', '--json'])
    expect(JSON.parse(added.stdout)).toMatchObject({
      folder: 'home:synced',
      isNew: true,
      mayWrite: true,
    })
    expect((await run('lap', ['sync', 'add', at('lap'), 'home:synced'])).status).toBe(0)
    for (const name of NAMES) await start(name)
    await untilEqual((files) => files['small'] === 'hay' && files['sub/deep/large'] !== undefined)
    const status = await run('desk', ['sync', 'status', '--wait', '--json'])
    expect(JSON.parse(status.stdout)).toMatchObject({
      isRunning: true,
      syncs: [{ state: 'in-sync' }],
    })
  })

  it('takes edits, renames and removals of either side', async () => {
    await appendFile(at('lap', 'small'), ' and straw')
    await rename(at('desk', 'sub'), at('desk', 'moved'))
    await untilEqual((files) => files['small'] === 'hay and straw' && 'moved/deep/large' in files)
    await rm(at('lap', 'moved'), { recursive: true })
    await untilEqual((files) => !('moved/deep/large' in files))
  })

  it('keeps both of two edits that were made while a computer was off, after it was killed', async () => {
    await kill('lap')
    await writeFile(at('lap', 'small'), 'from the lap')
    await writeFile(at('desk', 'small'), 'from the desk')
    expect((await run('desk', ['sync', 'status', '--wait'])).status).toBe(0)
    await start('lap')
    await untilEqual((files) => Object.keys(files).length === 2)
    expect(Object.values(await listing('desk')).sort()).toEqual(['from the desk', 'from the lap'])
    const { stdout } = await run('lap', ['sync', 'status', '--wait', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ syncs: [{ conflicts: 1 }] })
  })

  it('is not waited for where its user must speak first', async () => {
    await mkdir(at('desk', 'many'))
    for (let number = 0; number < 30; number++)
      await writeFile(at('desk', 'many', `${number}`), `${number}`)
    expect((await run('desk', ['sync', 'status', '--wait'])).status).toBe(0)
    await rm(at('desk', 'many'), { recursive: true })
    const held = await run('desk', ['sync', 'status', '--wait'])
    expect(held).toMatchObject({ status: 1, stderr: '' })
    expect(held.stdout).toContain('waits for you')
    expect(held.stdout).toContain('--allow-removals')
    expect((await run('desk', ['sync', 'resume', '--allow-removals'])).status).toBe(0)
    expect((await run('desk', ['sync', 'status', '--wait'])).status).toBe(0)
    await untilEqual((files) => Object.keys(files).length === 2)
  })

  it.each([
    { what: 'twice', args: ['sync', 'add', 'DESK'], status: 64, says: 'is synced already' },
    {
      what: 'in another',
      args: ['sync', 'add', 'DESK/.hayloft'],
      status: 64,
      says: 'one in the other',
    },
    {
      what: 'where nothing is',
      args: ['sync', 'add', '/nowhere/at/all'],
      status: 66,
      says: 'There is no directory',
    },
    {
      what: 'with a file',
      args: ['sync', 'add', 'NEW', 'home:synced/small'],
      status: 64,
      says: 'cannot be synced',
    },
    {
      what: 'with a folder that has one',
      args: ['sync', 'add', 'NEW', 'home:synced'],
      status: 64,
      says: 'already',
    },
    { what: 'that never was', args: ['sync', 'remove', 'NEW'], status: 66, says: 'is not synced' },
    { what: 'by two programs', args: ['start'], status: 75, says: 'runs already' },
  ])('is not synced $what', async ({ args, status, says }) => {
    await mkdir(join(dir, 'new'), { recursive: true })
    const given = args.map((arg) =>
      arg.replace('DESK', at('desk')).replace('NEW', join(dir, 'new')),
    )
    const refused = await run('desk', given)
    expect(refused).toMatchObject({ status, stdout: '' })
    expect(refused.stderr).toContain(says)
  })

  it('stays as it is on both sides once it is synced no more', async () => {
    expect((await run('desk', ['sync', 'remove', at('desk')])).status).toBe(0)
    expect(Object.keys(await listing('desk'))).toHaveLength(2)
    expect((await run('desk', ['ls', 'home:synced'])).stdout.split('\n')).toHaveLength(3)
    expect((await readdir(at('desk'))).includes('.hayloft')).toBe(false)
  })
})
