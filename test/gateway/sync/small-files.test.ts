import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openToRead } from '../../../src/gateway/sync/disk/small-files.ts'
import { temporaryFolder } from '../../support/temporary.ts'

describe('a file that is opened to be read', () => {
  it.each([0, 1, 4_096, 65_535, 65_536, 65_537, 300_000])(
    'of %i bytes is read whole',
    async (size) => {
      const at = join(await temporaryFolder(), 'file')
      const bytes = Uint8Array.from({ length: size }, (_, index) => index % 251)
      await writeFile(at, bytes)
      const file = await openToRead(at)
      expect(Number((await file.stat()).size)).toBe(size)
      const read = new Uint8Array(size)
      let length = 0
      for (;;) {
        const came = await file.read(read.subarray(length, length + 40_000))
        if (came === 0) break
        length += came
      }
      expect(length).toBe(size)
      expect(Buffer.compare(read, bytes)).toBe(0)
      if (size > 2) {
        const two = new Uint8Array(2)
        expect(await file.read(two, size - 2)).toBe(2)
        expect([...two]).toEqual([...bytes.subarray(size - 2)])
      }
      await file.close()
    },
  )

  it('is no link, and a directory says that it is one', async () => {
    const folder = await temporaryFolder()
    await symlink('elsewhere', join(folder, 'link'))
    await expect(openToRead(join(folder, 'link'))).rejects.toMatchObject({ code: 'ELOOP' })
    await mkdir(join(folder, 'directory'))
    const directory = await openToRead(join(folder, 'directory'))
    expect((await directory.stat()).isDirectory()).toBe(true)
    await directory.close()
  })
})
