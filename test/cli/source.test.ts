import { appendFile, mkdir, truncate, utimes, writeFile } from 'node:fs/promises'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openSource } from '../../src/cli/source.ts'
import { temporaryFolder } from '../support/temporary.ts'

const MIB = 2 ** 20

async function fileOf(sizeBytes: number): Promise<string> {
  const path = join(await temporaryFolder(), 'file')
  await writeFile(path, Buffer.alloc(sizeBytes, 7))
  return path
}

/** Reads all of a source; `meanwhile` runs after its first chunk. */
async function readAll(path: string, meanwhile?: () => Promise<void>): Promise<number> {
  await using source = await openSource(path)
  let sizeBytes = 0
  for await (const chunk of source.chunks) {
    if (sizeBytes === 0) await meanwhile?.()
    sizeBytes += chunk.length
  }
  return sizeBytes
}

describe('a file to be put', () => {
  it.each([0, 1, 4096, MIB - 1, MIB, MIB + 1, 3 * MIB])(
    'of %d bytes is read whole',
    async (size) => {
      const path = await fileOf(size)
      await using source = await openSource(path)
      expect(source.sizeBytes).toBe(size)
      expect(await readAll(path)).toBe(size)
    },
  )

  it.each<[string, (path: string) => Promise<void>]>([
    ['grows', (path) => appendFile(path, 'more')],
    ['shrinks', (path) => truncate(path, 2 * MIB)],
    ['is rewritten', (path) => utimes(path, 1, 1)],
  ])('is refused if it %s under the reading', async (_, change) => {
    const path = await fileOf(3 * MIB)
    await expect(readAll(path, () => change(path))).rejects.toMatchObject({ code: 'file-changed' })
  })

  it('is not a directory, a missing one or a FIFO without writer', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'directory'))
    execFileSync('mkfifo', [join(folder, 'fifo')])
    const codeOf = async (name: string): Promise<unknown> =>
      await openSource(join(folder, name)).then(
        undefined,
        (thrown: { code: string }) => thrown.code,
      )
    expect(await codeOf('directory')).toBe('is-directory')
    expect(await codeOf('missing')).toBe('not-found')
    expect(await codeOf('fifo')).toBe('not-a-file')
  })
})
