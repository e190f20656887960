import { execFileSync } from 'node:child_process'
import { mkdir, open, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkName } from '../../../src/folders/names.ts'
import { utf8 } from '../../../src/foundation/bytes.ts'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import { diskName, EXACT_NAMES, gridName } from '../../../src/gateway/sync/disk/disk-names.ts'
import { markRoot, RootTakenError } from '../../../src/gateway/sync/disk/root-marker.ts'
import type {
  Guard,
  Scan,
  ScanOptions,
  Signature,
  StagedFile,
} from '../../../src/gateway/sync/disk/sync-disk.ts'
import { SystemSyncDisk } from '../../../src/gateway/sync/disk/system-sync-disk.ts'
import { EVERYTHING } from '../../../src/gateway/sync/selection.ts'
import type { ContentHash, PathText } from '../../../src/gateway/sync/trees.ts'
import { watchDirectory } from '../../../src/gateway/sync/watch/directory-watcher.ts'
import { until } from '../../end-to-end/grid.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const WINDOWS = { isReserving: true, isFolding: true }
const NOTHING: Guard = { expects: undefined }

async function openDisk(): Promise<{ root: string; disk: SystemSyncDisk }> {
  const root = await temporaryFolder()
  await markRoot(root, 'test')
  const disk = new SystemSyncDisk(root, 'test', {
    clock: systemClock,
    randomness: systemRandomness,
  })
  await scan(disk)
  return { root, disk }
}

async function scan(disk: SystemSyncDisk, { isWhole = true } = {}): Promise<Scan> {
  if (isWhole) disk.noteChange()
  return await disk.scan({
    known: () => undefined,
    knownBySignature: () => undefined,
    isKnown: () => true,
    chosen: EVERYTHING,
    signal: new AbortController().signal,
  })
}

async function stage(disk: SystemSyncDisk, text: string): Promise<StagedFile> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(utf8(text))
  }
  return await disk.stage({
    sizeBytes: text.length,
    chunks,
    mtimeMs: 1_700_000_000_000,
    isExecutable: false,
  })
}

async function guardOf(disk: SystemSyncDisk, path: string): Promise<Guard> {
  const node = (await scan(disk)).tree.get(path as PathText)
  if (node?.kind !== 'file') throw new Error(`${path} is no file`)
  return { expects: { signature: node.signature } }
}

const A = 'a' as PathText

describe('a synced disk', () => {
  it('puts a file where nothing is, and only there', async () => {
    const { root, disk } = await openDisk()
    expect(await disk.place(await stage(disk, 'new'), A, NOTHING)).toMatchObject({ kind: 'done' })
    await using second = await stage(disk, 'newer')
    expect(await disk.place(second, A, NOTHING)).toEqual({ kind: 'changed' })
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('new')
  })

  it('replaces what was looked at, and nothing that has changed since', async () => {
    const { root, disk } = await openDisk()
    await writeFile(join(root, 'a'), 'old')
    const guard = await guardOf(disk, 'a')
    expect(await disk.place(await stage(disk, 'new'), A, guard)).toMatchObject({ kind: 'done' })
    await writeFile(join(root, 'a'), 'edited')
    for (const stale of [guard, NOTHING]) {
      await using staged = await stage(disk, 'newest')
      expect(await disk.place(staged, A, stale)).toEqual({ kind: 'changed' })
      expect(await disk.remove(A, stale)).toEqual({ kind: 'changed' })
      expect(await disk.move(A, 'b' as PathText, stale)).toEqual({ kind: 'changed' })
    }
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('edited')
    expect((await readdir(root)).sort()).toEqual(['.hayloft', 'a'])
  })

  it('has nothing left of what was replaced or removed by the time that this is durable', async () => {
    const { root, disk } = await openDisk()
    for (const name of ['a', 'b']) await writeFile(join(root, name), 'old')
    const [a, b] = [await guardOf(disk, 'a'), await guardOf(disk, 'b')]
    await using staged = await stage(disk, 'new')
    expect(await disk.place(staged, A, a)).toMatchObject({ kind: 'done' })
    expect(await disk.remove('b' as PathText, b)).toEqual({ kind: 'done' })
    await disk.flush()
    expect(await readdir(join(root, '.hayloft', 'tmp'))).toEqual([])
    expect((await readdir(root)).sort()).toEqual(['.hayloft', 'a'])
  })

  it('keeps what a program writes into a file that it had open when another took its place', async () => {
    const { root, disk } = await openDisk()
    await writeFile(join(root, 'a.txt'), 'old')
    const path = 'a.txt' as PathText
    const guard = await guardOf(disk, 'a.txt')
    const editor = await open(join(root, 'a.txt'), 'r+')
    const linked = join(root, 'second name')
    // What a second look finds: the file of the editor has changed under its second name.
    const staged = await stage(disk, 'new')
    await editor.writeFile('edited in place')
    await editor.close()
    expect(await disk.place(staged, path, guard)).toEqual({ kind: 'changed' })
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('edited in place')
    await expect(readFile(linked)).rejects.toThrow()
  })

  it('gives a part of a file only as long as it is what was opened', async () => {
    const { root, disk } = await openDisk()
    await writeFile(join(root, 'a'), 'one two three')
    await using file = await disk.open(A)
    const two = { offset: 4, length: 3 }
    expect(await file?.read(two)).toEqual(utf8('two'))
    expect(await file?.read({ offset: 8, length: 6 })).toBeUndefined()
    await writeFile(join(root, 'a'), 'one 2!! three')
    expect(await file?.read(two)).toBeUndefined()
  })

  it('never follows a link out of the directory', async () => {
    const { root, disk } = await openDisk()
    const outside = join(await temporaryFolder(), 'outside')
    await writeFile(outside, 'precious')
    await symlink(outside, join(root, 'a'))
    const { tree } = await scan(disk)
    expect(tree.get(A)).toEqual({ kind: 'symlink', target: outside })
    expect(await disk.open(A)).toBeUndefined()
    const guard: Guard = { expects: { target: outside } }
    expect(await disk.place(await stage(disk, 'new'), A, guard)).toMatchObject({ kind: 'done' })
    expect(await readFile(outside, 'utf8')).toBe('precious')
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('new')
  })

  it('removes directories only when they are empty', async () => {
    const { root, disk } = await openDisk()
    await mkdir(join(root, 'a'))
    await writeFile(join(root, 'a', 'inner'), 'x')
    expect(await disk.removeDirectory(A)).toEqual({ kind: 'changed' })
    expect(await disk.makeDirectory(A)).toEqual({ kind: 'changed' })
    expect(await disk.makeDirectory('gone/b' as PathText)).toEqual({ kind: 'changed' })
    expect(await readFile(join(root, 'a', 'inner'), 'utf8')).toBe('x')
  })

  it('tells of pipes and leaves them', async () => {
    const { root, disk } = await openDisk()
    execFileSync('mkfifo', [join(root, 'a')])
    const { tree, problems } = await scan(disk)
    expect(tree.get(A)).toEqual({ kind: 'opaque' })
    expect(problems).toEqual([{ at: 'a', why: 'it is a pipe (FIFO)' }])
  })

  it('writes to the name that the disk has, in whichever normal form', async () => {
    const { root, disk } = await openDisk()
    const decomposed = 'e\u0301.txt'
    await writeFile(join(root, decomposed), 'old')
    const guard = await guardOf(disk, '\u00e9.txt')
    await disk.place(await stage(disk, 'new'), '\u00e9.txt' as PathText, guard)
    expect((await readdir(root)).sort()).toEqual(['.hayloft', decomposed])
    expect(await readFile(join(root, decomposed), 'utf8')).toBe('new')
  })

  it('belongs to one sync', async () => {
    const { root } = await openDisk()
    await expect(markRoot(root, 'another')).rejects.toThrow(RootTakenError)
  })
})

describe('names on a disk', () => {
  it.each(['CON', 'con.txt', 'a:b', 'ends in a dot.', 'what?', '<>|"*\\', 'plain'])(
    'come back from Windows: %s',
    (text) => {
      const name = checkName(text)
      const written = diskName(name, WINDOWS)
      expect(written).not.toMatch(/[<>:"/\\|?*]|[. ]$/)
      expect(gridName(written, WINDOWS)).toBe(name)
      expect(diskName(name, EXACT_NAMES)).toBe(name)
    },
  )
})

describe('a file whose content is to be kept elsewhere first', () => {
  it('is neither replaced nor removed once the other copy has changed', async () => {
    const { root, disk } = await openDisk()
    await writeFile(join(root, 'a'), 'old')
    await writeFile(join(root, 'copy'), 'old')
    const copy = await guardOf(disk, 'copy')
    const keptAt = { path: 'copy' as PathText, signature: signatureIn(copy) }
    const guard = { ...(await guardOf(disk, 'a')), keptAt }
    await writeFile(join(root, 'copy'), 'changed by its user')
    expect(await disk.place(await stage(disk, 'new'), A, guard)).toEqual({ kind: 'changed' })
    expect(await disk.remove(A, guard)).toEqual({ kind: 'changed' })
    expect(await readFile(join(root, 'a'), 'utf8')).toBe('old')
  })
})

function signatureIn({ expects }: Guard): Signature {
  if (expects === undefined || !('signature' in expects)) throw new Error('no file is expected')
  return expects.signature
}

describe('a scan of changed directories', () => {
  it('finds what a scan of everything does', async () => {
    const { root, disk } = await openDisk()
    for (const name of ['a', 'b', 'c']) {
      await mkdir(join(root, name, 'deep'), { recursive: true })
      await writeFile(join(root, name, 'deep', 'file'), name)
    }
    await scan(disk)
    await writeFile(join(root, 'a', 'deep', 'file'), 'longer than before')
    disk.noteChange(join(root, 'a', 'deep'))
    await rename(join(root, 'b'), join(root, 'moved'))
    await rename(join(root, 'c', 'deep'), join(root, 'b'))
    disk.noteChange(root)
    disk.noteChange(join(root, 'c'))
    const partly = await scan(disk, { isWhole: false })
    expect(partly.tree).toEqual((await scan(disk)).tree)
    expect([...partly.tree.keys()].sort()).toEqual([
      'a',
      'a/deep',
      'a/deep/file',
      'b',
      'b/file',
      'c',
      'moved',
      'moved/deep',
      'moved/deep/file',
    ])
  })

  it('leaves alone what nobody named', async () => {
    const { root, disk } = await openDisk()
    await mkdir(join(root, 'a'))
    await scan(disk)
    await writeFile(join(root, 'a', 'file'), 'a')
    expect((await scan(disk, { isWhole: false })).tree.has('a/file' as PathText)).toBe(false)
    disk.noteChange(join(root, 'a'))
    expect((await scan(disk, { isWhole: false })).tree.has('a/file' as PathText)).toBe(true)
  })
})

describe('a scan of a large file that was agreed to be another', () => {
  it('tells what its blocks hash to', async () => {
    const { root, disk } = await openDisk()
    await writeFile(join(root, 'a'), Buffer.alloc(2 ** 20 + 1, 1))
    await writeFile(join(root, 'small'), 'small')
    const look = async (known: ScanOptions['known']): Promise<Scan> =>
      await disk.scan({
        known,
        knownBySignature: () => undefined,
        isKnown: () => true,
        chosen: EVERYTHING,
        signal: new AbortController().signal,
      })
    const hashes = ({ tree }: Scan): unknown[] =>
      [...tree.values()].map((node) => node.kind === 'file' && node.frameHashes?.length)
    disk.noteChange()
    expect(hashes(await look(() => undefined))).toEqual([undefined, undefined])
    disk.noteChange()
    const other = { signature: undefined, hash: 'another' as ContentHash }
    expect(hashes(await look(() => other))).toEqual([64, undefined])
  })
})

describe('a watched directory', () => {
  it('tells of changes, those in new and in moved directories among them', async () => {
    const root = await temporaryFolder()
    await mkdir(join(root, 'there'))
    let changes = 0
    await using watcher = await watchDirectory(root, () => changes++)
    expect(watcher.degraded).toBeUndefined()
    const notices = async (change: () => Promise<unknown>): Promise<void> => {
      const before = changes
      await change()
      await until(() => Promise.resolve(changes > before))
    }
    await notices(async () => await writeFile(join(root, 'there', 'a'), 'a'))
    await notices(async () => await mkdir(join(root, 'new', 'deep'), { recursive: true }))
    await notices(async () => await rename(join(root, 'new'), join(root, 'moved')))
    // The watch of what was made just now follows by a moment.
    let written = 0
    const before = changes
    await until(async () => {
      await writeFile(join(root, 'moved', 'deep', `${written++}`), 'x')
      return changes > before + 1
    })
  })

  it('says when there are more directories than may be watched', async () => {
    const root = await temporaryFolder()
    for (const name of ['1', '2', '3']) await mkdir(join(root, name))
    await using watcher = await watchDirectory(root, () => undefined, { maxWatches: 2 })
    await until(() => Promise.resolve(watcher.degraded !== undefined))
    expect(watcher.degraded).toBe('more directories than may be watched')
  })
})
