import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHayloft } from '../support/hayloft.ts'
import { noise } from './noise.ts'
import { commandLines, TestGrid, until, type CheckJson, type StoredJson } from './grid.ts'

/** Five households: 2-of-5 by default. */
const NODES = 5
const MIB = 2 ** 20

let grid: TestGrid
let folder: string

beforeAll(async () => {
  grid = await TestGrid.start(NODES)
  folder = join(grid.dir, 'files')
  await mkdir(folder)
})
afterAll(async () => await grid.end())

/** A file with content of its own. */
async function fileOf(name: string, sizeBytes: number): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, noise(name, sizeBytes))
  return path
}

async function capabilityFile(capability: string): Promise<string> {
  const path = join(folder, `capability-${(await readdir(folder)).length}`)
  await writeFile(path, `${capability}\n`, { mode: 0o600 })
  return `@${path}`
}

const check = async (capability: string, ...args: string[]): Promise<CheckJson> =>
  await grid.json<CheckJson>(['check', capability, ...args], [0, 1, 2])

describe('put and get', () => {
  it('bring a file back, through a file and through a pipe', async () => {
    const file = await fileOf('three', 3 * MIB + 1)
    const stored = await grid.put(file)
    expect(stored).toMatchObject({
      file,
      size: 3 * MIB + 1,
      shares: { required: 2, total: 5 },
      health: 'healthy',
    })
    const copy = join(folder, 'copy')
    expect(await grid.run(['get', stored.capability, '-o', copy])).toMatchObject({ status: 0 })
    const original = await readFile(file)
    expectSame(await readFile(copy), original)
    expectSame((await grid.run(['get', stored.capability])).bytes, original)
    const range = await grid.run(['get', '-', '--range', `${MIB - 10}:20`], {
      stdin: stored.capability,
    })
    expectSame(range.bytes, original.subarray(MIB - 10, MIB + 10))
  })

  it('send nothing for a file that is there already', async () => {
    const file = await fileOf('unchanged', 2 * MIB)
    const once = await grid.put(file)
    const again = await grid.put(file)
    expect(once.sentBytes).toBeGreaterThan(2 * MIB)
    expect(again).toEqual({ ...once, sentBytes: 0 })
    expect((await grid.put(file, ['--random-key'])).capability).not.toBe(once.capability)
  })

  it('take the code asked for, standard input, and what fits a capability', async () => {
    const file = await fileOf('coded', 10_000)
    expect((await grid.put(file, ['--shares', '3/4'])).shares).toEqual({ required: 3, total: 4 })
    const piped = await grid.run(['put', '-', '--json'], { stdin: await readFile(file) })
    const [stored] = JSON.parse(piped.stdout) as StoredJson[]
    expect(stored).toMatchObject({ file: '-', size: 10_000 })
    expectSame((await grid.run(['get', stored?.capability ?? ''])).bytes, await readFile(file))
    const literal = await grid.put(await fileOf('tiny', 20))
    expect(literal.capability).toMatch(/^hayliteral1/)
    for (const args of [[], ['-'], ['-o', '-']]) {
      const got = await grid.run(['get', literal.capability, ...args])
      expectSame(got.bytes, noise('tiny', 20))
    }
    expect(await grid.run(['get', '-r', literal.capability, '-'])).toMatchObject({ status: 64 })
  })

  it('store many files in the order given, and go on where one fails', async () => {
    const names = Array.from({ length: 60 }, (_, at) => `many-${at}`)
    const files = await Promise.all(names.map(async (name) => await fileOf(name, 4096)))
    const missing = join(folder, 'missing')
    const run = await grid.run([
      'put',
      ...files.slice(0, 30),
      missing,
      ...files.slice(30),
      '--json',
    ])
    expect(run.status).toBe(1)
    expect(JSON.parse(run.stderr)).toMatchObject({ error: { code: 'not-found' } })
    const stored = JSON.parse(run.stdout) as StoredJson[]
    expect(stored.map(({ file }) => file)).toEqual(files)
    const last = stored.at(-1)
    expectSame((await grid.run(['get', last?.capability ?? ''])).bytes, noise('many-59', 4096))
  })

  it('end quietly when nobody reads on', async () => {
    const { capability } = await grid.put(await fileOf('cut', 8 * MIB))
    const { child, ended } = startHayloft(['get', capability], { home: grid.home })
    child.stdout?.once('data', () => child.stdout?.destroy())
    expect(await ended).toMatchObject({ status: 141, stderr: '' })
  })

  it('leave no half file behind when interrupted', async () => {
    const { capability } = await grid.put(await fileOf('large', 48 * MIB))
    await mkdir(join(folder, 'place'))
    const copy = join(folder, 'place', 'copy')
    const { child, ended } = startHayloft(['get', capability, '-o', copy], { home: grid.home })
    await until(async () => (await readdir(join(folder, 'place'))).length > 0)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ status: 130, stderr: 'hayloft: Interrupted.\n' })
    expect(await readdir(join(folder, 'place'))).toEqual([])
  })
})

describe('when nodes are gone', () => {
  it('a file is degraded, read, out of reach, and read again', async () => {
    const file = await fileOf('survivor', 2 * MIB)
    const { capability } = await grid.put(file)
    expect(await grid.run(['check', capability])).toMatchObject({ status: 0 })
    await grid.stopNodes(['node-01', 'node-03', 'node-05'])
    expect(await grid.run(['check', capability])).toMatchObject({ status: 1 })
    expectSame((await grid.run(['get', capability])).bytes, await readFile(file))
    await grid.stopNodes(['node-02'])
    const checked = await grid.run(['check', capability, '--json'])
    expect(checked.status).toBe(1)
    // The nodes that are stopped may have what is missing, and they do.
    const uncertain = { recoverable: false, unknown: true, healthy: false }
    expect(JSON.parse(checked.stdout)).toMatchObject(uncertain)
    const copy = join(folder, 'lost-copy')
    expect(await grid.run(['get', capability, '-o', copy])).toMatchObject({ status: 2, stdout: '' })
    expect(await readdir(folder)).not.toContain('lost-copy')
    await grid.startNodes()
    expect(await check(capability)).toMatchObject({ recoverable: true, healthy: true })
  })

  it('nothing counts as stored that too few nodes have', async () => {
    const file = await fileOf('unstored', MIB)
    await grid.stopNodes(['node-02', 'node-03', 'node-04', 'node-05'])
    const run = await grid.run(['put', file, '--json'])
    expect(run.status).toBe(2)
    expect(JSON.parse(run.stdout)).toEqual([])
    expect(JSON.parse(run.stderr)).toMatchObject({
      error: { code: 'too-few-nodes', message: expect.stringMatching(/\b4\b.*\b1\b/) as string },
    })
    await grid.startNodes()
  })

  it('a repair makes their shares anew, with the power to verify alone', async () => {
    const file = await fileOf('repaired', 2 * MIB)
    const { capability } = await grid.put(file, ['--shares', '2/4'])
    const { stdout } = await grid.run(['capability', capability, '--to', 'verify'])
    const verify = await capabilityFile(stdout)
    await grid.stopNodes(['node-01', 'node-02'])
    const before = await check(verify)
    await grid.startNodes()
    const shares = (report: CheckJson): number =>
      report.blocks.reduce((least, { sharesGood }) => Math.min(least, sharesGood), 5)
    expect(shares(before)).toBeLessThan(4)
    expect(await grid.json(['repair', verify])).toMatchObject({ healthy: true })
    expect(await check(verify, '--verify')).toMatchObject({ healthy: true })
    expectSame((await grid.run(['get', capability])).bytes, await readFile(file))
  })

  it('a frozen one holds up neither upload nor download', async () => {
    const file = await fileOf('frozen', 4 * MIB)
    grid.signalNode('node-04', 'SIGSTOP')
    const stored = await grid.put(file)
    expectSame((await grid.run(['get', stored.capability])).bytes, await readFile(file))
    grid.signalNode('node-04', 'SIGCONT')
    expect(await grid.json(['repair', stored.capability])).toMatchObject({ healthy: true })
  })

  it('one that is killed during an upload does not spoil it', async () => {
    const file = await fileOf('killed', 32 * MIB)
    const { ended } = startHayloft(['put', file, '--json'], { home: grid.home })
    const store = join(grid.dir, 'node-02', 'store', 'shares')
    const before = await fileCount(store)
    await until(async () => (await fileCount(store)) > before)
    grid.signalNode('node-02', 'SIGKILL')
    const run = await ended
    expect(run).toMatchObject({ status: 0 })
    const [stored] = JSON.parse(run.stdout) as StoredJson[]
    expectSame((await grid.run(['get', stored?.capability ?? ''])).bytes, await readFile(file))
    await grid.startNodes()
    expect(await grid.json(['repair', stored?.capability ?? ''])).toMatchObject({ healthy: true })
  })
})

describe('a file that changes while it is read', () => {
  it('is told and not stored', async () => {
    const file = await fileOf('changing', 64 * MIB)
    const { child, ended } = startHayloft(['put', file, '--json'], { home: grid.home })
    const store = join(grid.dir, 'node-01', 'store', 'shares')
    const before = await fileCount(store)
    await until(async () => (await fileCount(store)) > before)
    await appendFile(file, 'more')
    expect(child.exitCode).toBeNull()
    const run = await ended
    expect(run.status).toBe(74)
    expect(JSON.parse(run.stderr)).toMatchObject({ error: { code: 'file-changed' } })
    expect(JSON.parse(run.stdout)).toEqual([])
  })
})

describe('what is secret', () => {
  it('stands in no log, no error and no command line', async () => {
    const { capability } = await grid.put(await fileOf('canary', 24 * MIB))
    const secret = capability.slice(8, 60)
    const { child, ended } = startHayloft(['get', capability, '-o', join(folder, 'canary-copy')], {
      home: grid.home,
    })
    await until(async () => (await readdir(folder)).some((name) => name.endsWith('.part')))
    expect(child.exitCode).toBeNull()
    const seen = commandLines()
    expect((await ended).status).toBe(0)
    expect(seen).not.toContain(secret)
    const errors = await Promise.all(
      [
        ['put', capability],
        ['get', `${capability}q`],
        ['get', capability, '-o', '/nonexistent/place'],
      ].map(async (args) => (await grid.run(args)).stderr),
    )
    const keys = await Promise.all(
      [grid.home, ...grid.nodes.map(({ home }) => home)].flatMap((home) =>
        ['identity.key', 'account.key'].map(async (name) => await readFile(join(home, name))),
      ),
    )
    const told = `${errors.join('\n')}\n${await grid.logs()}\n${seen}`
    expect(told).not.toContain(secret)
    expect(told).not.toContain('hayfile1q')
    for (const key of keys) {
      expect(told).not.toContain(key.toString('hex'))
      expect(told).not.toContain(key.toString('base64').slice(0, 40))
    }
  })
})

/** Unlike `toEqual`, which looks at every byte as a property, it is quick for large files. */
function expectSame(actual: Buffer, expected: Buffer): void {
  expect(actual.length).toBe(expected.length)
  expect(actual.equals(expected)).toBe(true)
}

async function fileCount(directory: string): Promise<number> {
  return (await readdir(directory, { recursive: true }).catch(() => [])).length
}
