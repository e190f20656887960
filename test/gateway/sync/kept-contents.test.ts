import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isRacy } from '../../../src/gateway/sync/disk/signature.ts'
import { SYSTEM_FILE_SYSTEM } from '../../../src/gateway/sync/disk/system-file-system.ts'
import { until } from '../../end-to-end/grid.ts'
import { threeDevices, type TestDevice } from './support.ts'

/**
 * Ann and Ben have written a file of the same name. Ben's has the name now, and he has Ann's as a copy, of which she does
 * not know yet.
 */
async function inConflict(
  ...directory: string[]
): Promise<Record<'ann' | 'ben' | 'cleo', TestDevice> & { copy: string }> {
  const { ann, ben, cleo } = await threeDevices()
  for (const device of [ann, ben]) {
    await mkdir(device.path(...directory), { recursive: true })
    await writeFile(device.path(...directory, 'note'), `of ${device.name}`)
    await device.sync()
  }
  const listing = Object.entries(await ben.listing())
  const copy = listing.find(([path]) => path.includes('(conflict Ann'))
  expect(copy?.[1]).toBe('of Ann')
  return { ann, ben, cleo, copy: copy?.[0] ?? '' }
}

describe('a content that a disk has as a file and as a conflict copy', () => {
  it('stays a copy where the file is edited just when the copy is to go', async () => {
    const { ann, ben, copy } = await inConflict()
    const renameNow = (): void => {
      throw Object.assign(new Error('a program has it open'), { code: 'EBUSY' })
    }
    await ann.sync({ files: { ...SYSTEM_FILE_SYSTEM, renameNow } })
    expect(await ann.listing()).toEqual({ note: 'of Ann', [copy]: 'of Ann' })
    await rm(ben.path('note'))
    await ben.sync()
    for (const path of ['note', copy]) {
      await until(async () => !isRacy(await lstat(ann.path(path), { bigint: true }), Date.now()))
    }
    // Between her engine's looks at the disk and at the folder.
    let isEdited = false
    ann.look = async () => {
      if (!isEdited) await writeFile(ann.path('note'), 'edited by now')
      isEdited = true
    }
    for (const device of [ann, ben, ann, ben]) await device.sync()
    for (const device of [ann, ben]) {
      const contents = Object.values(await device.listing()).sort()
      expect(contents).toEqual(['edited by now', 'of Ann'])
    }
  })

  it('loses its copy beside an edit of one who may only read, which takes nothing from the folder', async () => {
    const { ben, cleo } = await inConflict()
    await cleo.sync({ power: 'read' })
    await writeFile(cleo.path('note'), 'edited')
    await rm(ben.path('note'))
    await ben.sync()
    const { pending, unsent } = await cleo.sync({ power: 'read' })
    expect([pending, unsent]).toEqual([0, 1])
    expect(await cleo.listing()).toEqual({ note: 'edited' })
  })

  it('is not taken for removed when its directory is renamed while it is on its way', async () => {
    const { ann, ben, copy } = await inConflict('d')
    await rm(ben.path('d', 'note'))
    let isRenamed = false
    const files = {
      ...SYSTEM_FILE_SYSTEM,
      rename: async (from: string, to: string): Promise<void> => {
        await SYSTEM_FILE_SYSTEM.rename(from, to)
        if (from !== ben.path(copy)) return
        await rename(ben.path('d'), ben.path('e'))
        isRenamed = true
      },
    }
    await ben.sync({ files })
    expect(isRenamed).toBe(true)
    for (const device of [ann, ben, ann]) await device.sync()
    for (const device of [ann, ben]) {
      expect(await device.listing()).toEqual({ 'd/': '', 'd/note': 'of Ann', 'e/': '' })
    }
  })
})
