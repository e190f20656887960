import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeDirectories } from '../../src/foundation/directories.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'directories-'))
  await writeFile(join(dir, 'file'), 'mine')
})
afterAll(async () => await rm(dir, { recursive: true }))

describe('makeDirectories', () => {
  it('makes what is not there, by its mode, and says whether it did', async () => {
    const path = join(dir, 'a', 'b', 'c')
    expect(await makeDirectories(path, { mode: 0o700 })).toBe(true)
    expect(await makeDirectories(path)).toBe(false)
    expect(await makeDirectories('/')).toBe(false)
    const modes = await Promise.all([path, join(dir, 'a')].map(async (each) => await stat(each)))
    expect(modes.map(({ mode }) => mode & 0o777)).toEqual([0o700, 0o700])
    await symlink(path, join(dir, 'link'))
    expect(await makeDirectories(join(dir, 'link', 'd'))).toBe(true)
    expect((await stat(join(path, 'd'))).isDirectory()).toBe(true)
  })

  it('makes one directory for all who want it at the same time', async () => {
    const path = join(dir, 'many', 'at', 'once')
    const made = await Promise.all(
      Array.from({ length: 8 }, async () => await makeDirectories(path)),
    )
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  it('leaves alone what is in the way, and says so', async () => {
    await expect(makeDirectories(join(dir, 'file'))).rejects.toMatchObject({
      code: 'cannot-create',
      message: `The directory ${join(dir, 'file')} cannot be made: something else has that name.`,
    })
    await expect(makeDirectories(join(dir, 'file', 'a', 'b'))).rejects.toThrow('ENOTDIR')
    expect(await readFile(join(dir, 'file'), 'utf8')).toBe('mine')
  })

  it('ends where no directories can be made', async () => {
    // Linux says of this that the parent, which is there, is not.
    const error: unknown = await makeDirectories('/proc/self/fd/a/b').catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Error)
    if (process.platform !== 'linux') return
    expect(error).toMatchObject({
      code: 'cannot-create',
      message: 'The directory /proc/self/fd/a cannot be made: /proc/self/fd takes no directories.',
    })
  })
})
