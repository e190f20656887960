import * as fc from 'fast-check'
import { mkdir, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DirectoryStore } from '../../../src/home/slots/directory-store.ts'
import { someBytes } from '../../support/grid.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const filesOf = (folder: string): [string, string] => [join(folder, 'a'), join(folder, 'a.2')]

async function inodesOf(folder: string): Promise<number[]> {
  return await Promise.all(filesOf(folder).map(async (path) => (await stat(path)).ino))
}

describe('a directory of small values', () => {
  it('gives what was written last, to whoever opens it, whatever was there before', async () => {
    const sizes = fc.array(fc.tuple(fc.integer({ min: 0, max: 6_000 }), fc.boolean()), {
      minLength: 1,
      maxLength: 12,
    })
    await fc.assert(
      fc.asyncProperty(sizes, async (writes) => {
        const folder = await temporaryFolder()
        let store = new DirectoryStore(folder)
        expect(await store.read('a')).toBeUndefined()
        for (const [at, [size, again]] of writes.entries()) {
          if (again) store = new DirectoryStore(folder)
          const value = someBytes(size + 1, at)
          await store.write('a', value)
          expect(await store.read('a')).toEqual(value)
          expect(await new DirectoryStore(folder).read('a')).toEqual(value)
          expect(await store.names()).toEqual(['a'])
        }
        await store.remove('a')
        expect(await store.read('a')).toBeUndefined()
        expect(await store.names()).toEqual([])
        await store.write('a', someBytes(3))
        expect(await store.read('a')).toEqual(someBytes(3))
      }),
      { numRuns: 20 },
    )
  })

  it('keeps the two files of a value from the third write on, and their lengths if they can', async () => {
    const folder = await temporaryFolder()
    const store = new DirectoryStore(folder)
    await store.write('a', someBytes(900, 1))
    await store.write('a', someBytes(900, 2))
    const before = await inodesOf(folder)
    for (const size of [880, 990, 10, 900]) await store.write('a', someBytes(size, size))
    expect(await inodesOf(folder)).toEqual(before)
    for (const path of filesOf(folder)) {
      const { size, mode } = await stat(path)
      expect(size).toBe(1024)
      if (process.platform !== 'win32') expect(mode & 0o777).toBe(0o600)
    }
  })

  it('gives what was there before a write that was cut or spoilt anywhere, and goes on from there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.nat(1_023),
        fc.boolean(),
        async (writes, at, cut) => {
          const folder = await temporaryFolder()
          const store = new DirectoryStore(folder)
          // So long that every byte of a file counts.
          const value = (turn: number): Uint8Array => someBytes(1_024 - 28, turn)
          for (let turn = 1; turn <= writes; turn++) await store.write('a', value(turn))
          const spoilt = filesOf(folder)[(writes + 1) % 2] as string
          if (cut) await truncate(spoilt, at)
          else {
            const bytes = await readFile(spoilt)
            await writeFile(spoilt, bytes.with(at, (bytes[at] ?? 0) ^ 1))
          }
          const later = new DirectoryStore(folder)
          const expected = writes === 1 ? undefined : value(writes - 1)
          const found = await later.read('a')
          // A file of no byte is an empty value, which only those have that are made and removed.
          if (writes > 1 || !cut || at > 0) expect(found).toEqual(expected)
          for (const turn of [20, 21, 22]) {
            await later.write('a', value(turn))
            expect(await new DirectoryStore(folder).read('a')).toEqual(value(turn))
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  it('has empty values, which others see come and go', async () => {
    const folder = await temporaryFolder()
    const store = new DirectoryStore(folder)
    await store.write('owed', new Uint8Array(0))
    expect(await new DirectoryStore(folder).read('owed')).toEqual(new Uint8Array(0))
    expect(await new DirectoryStore(folder).names()).toEqual(['owed'])
    await store.remove('owed')
    expect(await new DirectoryStore(folder).names()).toEqual([])
  })

  it('takes many values at once', async () => {
    const folder = await temporaryFolder()
    const store = new DirectoryStore(folder)
    const names = Array.from({ length: 40 }, (_, at) => `value-${at}`)
    for (const turn of [1, 2, 3]) {
      await Promise.all(names.map((name, at) => store.write(name, someBytes(300, at * turn))))
    }
    const later = new DirectoryStore(folder)
    expect([...(await later.names())].sort()).toEqual(names.toSorted())
    for (const [at, name] of names.entries()) {
      expect(await later.read(name)).toEqual(someBytes(300, at * 3))
    }
  })

  it('fails, and goes on, where the directory is gone for a while', async () => {
    const folder = join(await temporaryFolder(), 'slots')
    const store = new DirectoryStore(folder)
    await expect(store.write('a', someBytes(3))).rejects.toThrow(/directory|file/)
    await mkdir(folder)
    await store.write('a', someBytes(3))
    expect(await new DirectoryStore(folder).read('a')).toEqual(someBytes(3))
  })

  it('writes one after another what is written at once', async () => {
    const folder = await temporaryFolder()
    const store = new DirectoryStore(folder)
    await Promise.all([1, 2, 3, 4, 5].map((turn) => store.write('a', someBytes(500, turn))))
    expect(await new DirectoryStore(folder).read('a')).toEqual(someBytes(500, 5))
  })
})
