import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeFile, placeLink, type IncomingFile } from '../../../src/cli/local/place-file.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const KEEP = { overwrite: false }
const OVERWRITE = { overwrite: true }

function incoming(
  text: string,
  rest: Partial<IncomingFile> = {},
): IncomingFile & { reads: number } {
  const file = {
    sizeBytes: text.length,
    reads: 0,
    ...rest,
    chunks: async () => {
      file.reads += 1
      return await Promise.resolve(chunksOf(text))
    },
  }
  return file
}

// eslint-disable-next-line typescript/require-await -- a download gives an async iterable
async function* chunksOf(text: string): AsyncGenerator<Uint8Array> {
  for (const character of text) yield Buffer.from(character)
}

describe('a file that is placed', () => {
  it('gets its content, time and mode', async () => {
    const at = join(await temporaryFolder(), 'n'.repeat(255))
    const file = incoming('text', { mtimeMs: 1_000_000_000_123, isExecutable: true })
    expect(await placeFile(at, file, KEEP)).toBe('written')
    expect(await readFile(at, 'utf8')).toBe('text')
    const { mtimeMs, mode } = await stat(at)
    expect(Math.floor(mtimeMs)).toBe(1_000_000_000_123)
    expect(mode & 0o100).toBe(0o100)
  })

  it('has the very millisecond, whatever floats make of it', async () => {
    const at = join(await temporaryFolder(), 'a')
    const times = fc.integer({ min: 0, max: 4_000_000_000_000 })
    await fc.assert(
      fc.asyncProperty(times, async (mtimeMs) => {
        await placeFile(at, incoming('text', { mtimeMs }), OVERWRITE)
        expect((await stat(at, { bigint: true })).mtimeMs).toBe(BigInt(mtimeMs))
      }),
    )
  })

  it('gets its time where what is there has one that is less than a millisecond older', async () => {
    const at = join(await temporaryFolder(), 'a')
    await writeFile(at, 'text')
    await utimes(at, 0, 4.9999)
    expect(await placeFile(at, incoming('text', { mtimeMs: 5_000 }), KEEP)).toBe('same')
    expect((await stat(at, { bigint: true })).mtimeMs).toBe(5_000n)
  })

  it('of the same size and time as what is there is not read, only fitted', async () => {
    const at = join(await temporaryFolder(), 'a')
    await placeFile(at, incoming('text', { mtimeMs: 5_000 }), KEEP)
    const again = incoming('text', { mtimeMs: 5_000, isExecutable: true })
    expect(await placeFile(at, again, KEEP)).toBe('same')
    expect(again.reads).toBe(0)
    expect((await stat(at)).mode & 0o100).toBe(0o100)
  })

  it('of another time is compared; the same content gets the time, another one is kept', async () => {
    const folder = await temporaryFolder()
    const at = join(folder, 'a')
    await writeFile(at, 'text')
    await chmod(at, 0o755)
    expect(
      await placeFile(at, incoming('text', { mtimeMs: 5_000, isExecutable: false }), KEEP),
    ).toBe('same')
    const { mtimeMs, mode } = await stat(at)
    expect([Math.floor(mtimeMs), mode & 0o111]).toEqual([5_000, 0])
    const refused = expect.objectContaining({ code: 'exists' }) as Error
    await expect(placeFile(at, incoming('tent'), KEEP)).rejects.toThrow(refused)
    const longer = incoming('longer')
    await expect(placeFile(at, longer, KEEP)).rejects.toThrow(refused)
    expect(longer.reads).toBe(0)
    expect(await readFile(at, 'utf8')).toBe('text')
    expect(await placeFile(at, longer, OVERWRITE)).toBe('written')
    expect(await readdir(folder)).toEqual(['a'])
  })

  it('never goes through a link, nor takes the place of a directory', async () => {
    const folder = await temporaryFolder()
    const outside = join(await temporaryFolder(), 'outside')
    await writeFile(outside, 'mine')
    await symlink(outside, join(folder, 'link'))
    await expect(placeFile(join(folder, 'link'), incoming('evil'), KEEP)).rejects.toThrow()
    expect(await placeFile(join(folder, 'link'), incoming('text'), OVERWRITE)).toBe('written')
    expect(await readFile(outside, 'utf8')).toBe('mine')
    expect((await lstat(join(folder, 'link'))).isFile()).toBe(true)
    await mkdir(join(folder, 'directory'))
    await expect(
      placeFile(join(folder, 'directory'), incoming('text'), OVERWRITE),
    ).rejects.toMatchObject({ code: 'in-the-way' })
  })

  it('needs a directory, and is not read without one', async () => {
    const file = incoming('text')
    const at = join(await temporaryFolder(), 'missing', 'a')
    await expect(placeFile(at, file, KEEP)).rejects.toMatchObject({ code: 'cannot-create' })
    expect(file.reads).toBe(0)
  })

  it('leaves nothing behind when its content cannot be had', async () => {
    const folder = await temporaryFolder()
    const broken = { sizeBytes: 3, chunks: async () => await Promise.reject(new Error('gone')) }
    await expect(placeFile(join(folder, 'a'), broken, KEEP)).rejects.toThrow('gone')
    expect(await readdir(folder)).toEqual([])
  })
})

describe('a link that is placed', () => {
  it('replaces nothing else unasked, and is the same where it leads to the same', async () => {
    const folder = await temporaryFolder()
    const at = join(folder, 'link')
    expect(await placeLink(at, '../x', KEEP)).toBe('written')
    expect(await placeLink(at, '../x', KEEP)).toBe('same')
    await expect(placeLink(at, '../y', KEEP)).rejects.toMatchObject({ code: 'exists' })
    expect(await placeLink(at, '../y', OVERWRITE)).toBe('written')
    expect(await readdir(folder)).toEqual(['link'])
  })
})
