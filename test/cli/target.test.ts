import { execFileSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTarget } from '../../src/cli/target.ts'
import { temporaryFolder } from '../support/temporary.ts'

const NEW = Buffer.from('new')

async function write(path: string): Promise<void> {
  await using target = await openTarget(path)
  await target.write(NEW)
  await target.commit()
}

describe('a file that is brought back', () => {
  it('is not there until it is whole, and alone then', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'file')
    await using target = await openTarget(path)
    await target.write(NEW)
    expect(await readdir(folder)).not.toContain('file')
    await target.commit()
    expect(await readdir(folder)).toEqual(['file'])
    expect(await readFile(path)).toEqual(NEW)
  })

  it('leaves the old one, and nothing else, if it is given up', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'file')
    await writeFile(path, 'old')
    const target = await openTarget(path)
    await target.write(NEW)
    await target[Symbol.asyncDispose]()
    expect(await readdir(folder)).toEqual(['file'])
    expect(await readFile(path, 'utf8')).toBe('old')
  })

  it('replaces the file that a link means, and keeps its mode', async () => {
    const folder = await temporaryFolder()
    const real = join(folder, 'real')
    await writeFile(real, 'old')
    await chmod(real, 0o640)
    await symlink(real, join(folder, 'link'))
    await write(join(folder, 'link'))
    expect(await readFile(real)).toEqual(NEW)
    expect((await stat(real)).mode & 0o777).toBe(0o640)
    expect((await readdir(folder)).toSorted()).toEqual(['link', 'real'])
  })

  it('goes into no directory, FIFO or missing place', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'directory'))
    execFileSync('mkfifo', [join(folder, 'fifo')])
    for (const name of ['directory', 'fifo', 'missing/file']) {
      await expect(openTarget(join(folder, name))).rejects.toMatchObject({ code: 'cannot-create' })
    }
    expect((await readdir(folder)).toSorted()).toEqual(['directory', 'fifo'])
  })
})
