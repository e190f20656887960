import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startHayloft, type Run } from '../support/hayloft.ts'
import { TestGrid, until } from './grid.ts'
import { noise } from './noise.ts'
import { makeTree, type EntryJson, type PutJson } from './tree.ts'

let grid: TestGrid
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hayloft-folders-'))
  grid = await TestGrid.start(4)
  expect((await grid.run(['init'])).status).toBe(0)
  await makeTree(join(folder, 'tree'))
})
afterAll(async () => {
  await grid.end()
  await rm(folder, { recursive: true, force: true })
})

const entries = async (place: string): Promise<readonly EntryJson[]> =>
  (await grid.json<{ entries: EntryJson[] }>(['ls', place])).entries

const names = async (place: string): Promise<string[]> =>
  (await entries(place)).map(({ name }) => name)

/** A refusal is one sentence and no result. */
function expectRefusal(run: Run, status: number): void {
  expect(run).toMatchObject({ status, stdout: '' })
  expect(run.stderr).toMatch(/^hayloft: \S[^\n]*\n$/)
}

describe('a tree', () => {
  it('is put with all that a folder holds, and the rest is told', async () => {
    const put = await grid.json<PutJson>(['put', '-r', join(folder, 'tree'), 'home:'])
    expect(put).toMatchObject({ stored: 52, unchanged: 0, failed: [] })
    expect(put.skipped).toMatchObject([{ why: 'it is a pipe (FIFO)' }])
    expect(await names('home:tree')).toEqual(
      ['0 bytes', '1 bytes', '1024 bytes', '1025 bytes', '1100000 bytes', '70000 bytes'].concat([
        'empty',
        'run',
        'sub',
      ]),
    )
    const run = (await entries('home:tree/run'))[0]
    expect(run).toMatchObject({ modified: '2001-09-09T01:46:40.123Z', executable: true })
  })

  it('that has not changed is neither sent nor committed again', async () => {
    const before = await grid.json<{ history: object[] }>(['history', 'home:'])
    const again = await grid.json<PutJson>(['put', '-r', join(folder, 'tree'), 'home:'])
    expect(again).toMatchObject({ stored: 0, unchanged: 52, sentBytes: 0 })
    // The same in other words.
    const there = await grid.json<PutJson>(['put', '-r', `${folder}/tree/.`, 'home:tree/'])
    expect(there).toMatchObject({ stored: 0, unchanged: 52, sentBytes: 0 })
    expect(await grid.json(['history', 'home:'])).toEqual(before)
  })

  it('sends what changed in it, and that alone', async () => {
    await writeFile(join(folder, 'tree', 'sub', '7'), 'changed')
    await writeFile(join(folder, 'tree', 'sub', 'new'), 'new')
    const put = await grid.json<PutJson>(['put', '-r', join(folder, 'tree'), 'home:tree'])
    expect(put).toMatchObject({ stored: 2, unchanged: 51 })
    expect((await grid.run(['cat', 'home:tree/sub/7'])).stdout).toBe('changed')
  })

  it('comes back the same: bytes, times, modes and links', async () => {
    const back = join(folder, 'back')
    expect(await grid.json(['get', '-r', 'home:tree', back])).toMatchObject({
      written: 53,
      same: 0,
    })
    const all = await readdir(join(folder, 'tree'), { recursive: true })
    const expected = all.filter((name) => name !== 'pipe').map((name) => name.normalize('NFC'))
    expect((await readdir(back, { recursive: true })).sort()).toEqual(expected.sort())
    for (const name of all) {
      const [a, b] = [join(folder, 'tree', name), join(back, name.normalize('NFC'))]
      const stats = await lstat(a)
      if (stats.isSymbolicLink()) expect(await readlink(b)).toBe(await readlink(a))
      if (!stats.isFile()) continue
      expect((await readFile(b)).equals(await readFile(a))).toBe(true)
      expect(Math.floor((await stat(b)).mtimeMs)).toBe(Math.floor(stats.mtimeMs))
      expect((await stat(b)).mode & 0o100).toBe(stats.mode & 0o100)
    }
    expect(await grid.json(['get', '-r', 'home:tree', back])).toMatchObject({
      written: 0,
      same: 53,
    })
  })

  it('overwrites nothing unasked, and writes nothing through a link', async () => {
    const back = join(folder, 'back')
    await writeFile(join(back, 'run'), 'my own')
    const kept = await grid.json(['get', '-r', 'home:tree', back], [1])
    expect(kept).toMatchObject({ written: 0, failed: [{ path: 'tree/run', code: 'exists' }] })
    expect(await readFile(join(back, 'run'), 'utf8')).toBe('my own')
    expect(await grid.json(['get', '-r', '--overwrite', 'home:tree', back])).toMatchObject({
      written: 1,
    })
    const trap = join(folder, 'trap')
    await mkdir(join(folder, 'elsewhere'))
    await mkdir(trap)
    await symlink(join(folder, 'elsewhere'), join(trap, 'sub'))
    await grid.json(['get', '-r', 'home:tree', trap], [1])
    expect(await readdir(join(folder, 'elsewhere'))).toEqual([])
    expect((await readdir(trap)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('that is interrupted goes on where it was', async () => {
    const large = join(folder, 'large')
    await mkdir(large)
    for (let at = 0; at < 20; at++) {
      await writeFile(join(large, `${at}`), noise(`large ${at}`, 1_000_000))
    }
    const { child, ended } = startHayloft(['put', '-r', large, 'home:'], { home: grid.home })
    await until(async () => {
      const listed = await grid.run(['ls', 'home:large'])
      return child.exitCode !== null || listed.stdout !== ''
    })
    child.kill('SIGINT')
    expect([0, 130]).toContain((await ended).status)
    const there = (await names('home:large')).length
    const put = await grid.json<PutJson>(['put', '-r', large, 'home:'])
    expect(put.stored + put.unchanged).toBe(20)
    expect(put.unchanged).toBeGreaterThanOrEqual(there)
    expect(await names('home:large')).toHaveLength(20)
  })
})

describe('paths', () => {
  it('are made, moved, copied, measured and removed', async () => {
    expect((await grid.run(['mkdir', '-p', 'home:docs/2026', 'home:docs'])).status).toBe(0)
    expect((await grid.run(['mkdir', 'home:docs'])).status).toBe(73)
    expect((await grid.run(['put', '-', 'home:docs/a'], { stdin: 'one' })).status).toBe(0)
    expect((await grid.run(['cp', 'home:docs/a', 'home:docs/b'])).status).toBe(0)
    expect((await grid.run(['mv', 'home:docs/b', 'home:docs/a', 'home:docs/2026'])).status).toBe(0)
    expect((await grid.run(['mv', 'home:docs', 'home:papers'])).status).toBe(0)
    expect((await grid.run(['ls', 'home:papers/2026'])).stdout).toBe('a\nb\n')
    expect(await grid.json(['du', 'home:papers'])).toMatchObject([
      { place: 'home:papers/2026', size: 6, files: 2 },
      { place: 'home:papers', size: 6, files: 2 },
    ])
    expect((await grid.run(['mv', 'home:papers', 'home:papers/2026/x'])).status).toBe(73)
    expectRefusal(await grid.run(['rm', 'home:papers/2026']), 64)
    expect((await grid.run(['rm', '-r', 'home:papers/2026'])).status).toBe(0)
    expectRefusal(await grid.run(['rm', 'home:papers/2026']), 66)
    expect((await grid.run(['restore', 'home:papers/2026'])).status).toBe(0)
    expect(await names('home:papers/2026')).toEqual(['a', 'b'])
  })

  it('with names like options or of control characters work', async () => {
    const odd = 'home:tree/sub/deep/line\nfeed \u001b[31m'
    expect((await grid.run(['cat', odd])).stdout).toBe('a name with control characters')
    await writeFile(join(folder, '-x'), 'dash')
    const { status } = await grid.run(['put', '--', join(folder, '-x'), 'home:-x'])
    expect(status).toBe(0)
    expect((await grid.run(['cat', '--', 'home:-x'])).stdout).toBe('dash')
  })

  it('have a past, from which they are restored', async () => {
    for (const text of ['first', 'second', 'third']) {
      expect((await grid.run(['put', '-', 'home:diary'], { stdin: text })).status).toBe(0)
    }
    const { history } = await grid.json<{ history: { time: string; size: number }[] }>([
      'history',
      'home:diary',
    ])
    expect(history).toMatchObject([{ size: 5 }, { size: 6 }, { size: 5 }])
    expect((await grid.run(['restore', 'home:diary', '--at', '1'])).status).toBe(0)
    expect((await grid.run(['cat', 'home:diary'])).stdout).toBe('second')
    const first = history[2]?.time ?? ''
    expect((await grid.run(['restore', 'home:diary', '--at', first])).status).toBe(0)
    expect((await grid.run(['cat', 'home:diary'])).stdout).toBe('first')
    expectRefusal(await grid.run(['restore', 'home:diary', '--at', '2001-01-01']), 66)
    expectRefusal(await grid.run(['restore', 'home:diary']), 64)
  })
})

describe('an editor', () => {
  it('replaces only what it has read', async () => {
    const put = async (text: string, ...args: string[]): Promise<Run> =>
      await grid.run(['put', '-', 'home:shared.txt', ...args, '--json'], { stdin: text })
    expectRefusal(await grid.run(['cat', 'home:shared.txt']), 66)
    // Nothing was there when it looked.
    expect((await put('mine', '--if-unchanged')).status).toBe(0)
    expect((await put('mine again', '--if-unchanged')).status).toBe(0)
    const copy = join(folder, 'shared.txt')
    const read = await grid.json<{ version: string }>(['get', 'home:shared.txt', copy])
    expect(await readFile(copy, 'utf8')).toBe('mine again')
    expect((await entries('home:shared.txt'))[0]?.version).toBe(read.version)
    const wrong = await put('theirs', '--if-version', '0'.repeat(32))
    expect(wrong).toMatchObject({ status: 75, stdout: '' })
    expect((await put('theirs', '--if-version', 'none')).status).toBe(75)
    expect((await put('theirs', '--if-version', read.version)).status).toBe(0)
    expect((await put('late', '--if-version', read.version)).status).toBe(75)
    expect((await grid.run(['cat', 'home:shared.txt'])).stdout).toBe('theirs')
    expectRefusal(await grid.run(['put', copy, 'home:tree/run', '--if-unchanged']), 75)
  })
})

describe('files that change', () => {
  it('are made, written, read, linked, watched and taken back', async () => {
    const file = join(folder, 'diary.txt')
    await writeFile(file, 'one')
    const made = await grid.json<{ capability: string; version: string }>([
      'mutable',
      'create',
      file,
      '--alias',
      'diary',
    ])
    expect(made.capability).toMatch(/^haymutablewrite1/)
    expect((await grid.run(['cat', 'diary:'])).stdout).toBe('one')
    expect((await grid.run(['ln', 'diary:', 'home:logbook'])).status).toBe(0)
    const watching = startHayloft(['watch', 'diary:', 'home:', '--json'], { home: grid.home })
    let printed = ''
    watching.child.stdout?.on('data', (chunk: Buffer) => (printed += chunk.toString()))
    const lines = (): object[] =>
      printed.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]))
    const printing = async (count: number): Promise<object | undefined> => {
      await until(async () => await Promise.resolve(lines().length >= count))
      return lines()[count - 1]
    }
    await printing(2)
    await writeFile(file, 'two')
    const put = await grid.json<{ version: string }>([
      'put',
      file,
      'home:logbook',
      '--if-unchanged',
    ])
    expect(await printing(3)).toMatchObject({
      place: 'diary:',
      change: 'changed',
      size: 3,
      version: put.version,
    })
    expect((await grid.run(['put', file, 'home:watched'])).status).toBe(0)
    expect(await printing(4)).toMatchObject({
      place: 'home:watched',
      change: 'added',
    })
    watching.child.kill('SIGINT')
    expect((await watching.ended).status).toBe(130)

    const stale = ['put', file, 'diary:', '--if-version', made.version]
    expect((await grid.run(stale)).status).toBe(75)
    const { stdout } = await grid.run(['capability', 'home:logbook', '--to', 'read'])
    const refused = await grid.run(['put', file, stdout.trim()])
    expect(refused.status).toBe(77)
    expect(refused.stderr).not.toContain(stdout.trim())
    expect((await grid.run(['restore', 'diary:', '--at', '1'])).status).toBe(0)
    expect((await grid.run(['cat', stdout.trim()])).stdout).toBe('one')
    expect((await grid.run(['check', 'diary:'])).status).toBe(0)
  })
})

describe('folders', () => {
  it('are made, linked, promoted, frozen and copied from one to the other', async () => {
    await grid.run(['folder', 'create', '--alias', 'team'])
    expect((await grid.run(['ln', 'team:', 'home:team'])).status).toBe(0)
    expect((await grid.run(['cp', 'home:tree/sub', 'home:team'])).status).toBe(0)
    expect(await names('team:sub')).toEqual(await names('home:tree/sub'))
    expect((await grid.run(['cat', 'team:sub/3'])).stdout).toBe('file 3\n')
    expect((await grid.run(['mv', 'team:sub/deep', 'home:'])).status).toBe(0)
    expect(await names('home:deep')).toHaveLength(3)
    expect(await names('team:sub')).not.toContain('deep')
    const frozen = (await grid.run(['snapshot', 'home:deep'])).stdout.trim()
    expect((await grid.run(['promote', 'home:deep'])).stdout).toMatch(/^hayfolderwrite1/)
    expect((await grid.run(['alias', 'add', 'deep', 'home:deep'])).status).toBe(0)
    expect((await grid.run(['rm', 'home:deep/-rf'])).status).toBe(0)
    expect((await grid.run(['ls', frozen])).stdout.split('\n')).toContain('-rf')
    expectRefusal(await grid.run(['rm', `${frozen}/-rf`]), 77)
    expectRefusal(await grid.run(['mv', 'home:deep', 'deep:in']), 73)
    expect(await names('deep:')).toHaveLength(2)
  })

  it('that may only be read are not changed by any command', async () => {
    const read = (await grid.run(['capability', 'home:', '--to', 'read'])).stdout.trim()
    for (const args of [
      ['put', join(folder, 'shared.txt'), `${read}/new`],
      ['put', '-r', join(folder, 'tree'), `${read}/new`],
      ['mkdir', `${read}/new`],
      ['rm', '-r', `${read}/tree`],
      ['mv', `${read}/tree`, 'home:moved'],
      ['ln', 'team:', `${read}/new`],
      ['restore', `${read}/tree`, '--at', '0'],
      ['promote', `${read}/tree`],
    ]) {
      expectRefusal(await grid.run(args), 77)
    }
    expect((await grid.run(['cat', `${read}/tree/sub/3`])).stdout).toBe('file 3\n')
    const verify = (await grid.run(['capability', read, '--to', 'verify'])).stdout.trim()
    expectRefusal(await grid.run(['ls', verify]), 77)
  })

  it('are checked and repaired, all or a path of them', async () => {
    expect(await grid.json(['check', 'home:'])).toMatchObject({ healthy: true })
    expect(await grid.json(['check', '-r', 'home:tree'])).toMatchObject({ healthy: true })
    expect((await grid.run(['check', 'home:tree/70000 bytes'])).status).toBe(0)
    // The folder itself holds so small a file.
    expect((await grid.run(['check', 'home:tree/sub/3'])).status).toBe(0)
    expect((await grid.run(['repair', 'home:tree'])).status).toBe(0)
  })
})

describe('what names nothing', () => {
  it('is refused with a status that says why', async () => {
    const wrong: [number, string[]][] = [
      [66, ['cat', 'home:tree']],
      [66, ['get', '-r', 'home:nothing', join(folder, 'never')]],
      [66, ['history', 'home:nothing']],
      [64, ['put', '-', 'home:']],
      [66, ['promote', 'home:tree/run']],
      [66, ['snapshot', 'home:tree/run']],
      [66, ['ls', 'home:tree/run/x']],
      [73, ['mkdir', 'home:tree/run/x']],
      [73, ['put', join(folder, 'tree', 'run'), 'home:tree/run/x']],
      [73, ['cp', 'home:tree/run', 'home:tree/run/x']],
      [64, ['promote', 'home:deep']],
      [64, ['alias', 'add', 'directory', 'home:tree']],
      [64, ['alias', 'add', 'file', 'home:tree/run']],
    ]
    for (const [status, args] of wrong) expectRefusal(await grid.run(args), status)
    expect(await readdir(folder)).not.toContain('never')
  })

  it('by going round in circles is told with its path, and the rest is got', async () => {
    await grid.run(['ln', 'home:', 'team:round'])
    await grid.run(['ln', 'team:', 'home:link'])
    expect((await grid.run(['ls', 'home:link/round'])).stderr).toContain('"link/round"')
    const got = await grid.run(['get', '-r', 'team:', join(folder, 'circle')])
    expect(got).toMatchObject({ status: 1, stderr: expect.stringContaining('round/link: ') })
    expect(await readdir(join(folder, 'circle', 'round'))).toContain('tree')
  })
})
