import { rename, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import type { FileSystem } from '../../../src/gateway/sync/disk/file-system.ts'
import { RootMissingError } from '../../../src/gateway/sync/disk/root-marker.ts'
import { SYSTEM_FILE_SYSTEM } from '../../../src/gateway/sync/disk/system-file-system.ts'
import { type TestDevice, twoDevices } from './support.ts'

/** A system on which a file becomes each of some texts just before it is opened the next time, or stays what it is. */
function becoming(at: string, texts: readonly (string | undefined)[]): FileSystem {
  const coming = [...texts]
  return {
    ...SYSTEM_FILE_SYSTEM,
    open: async (path) => {
      const text = path === at ? coming.shift() : undefined
      if (text !== undefined) await writeFile(at, text)
      return await SYSTEM_FILE_SYSTEM.open(path)
    },
  }
}

/** With the first state of a file on both, and nothing under way. */
async function agreedOn(text: string): Promise<{ ann: TestDevice; ben: TestDevice }> {
  const devices = await twoDevices()
  await writeFile(devices.ann.path('a'), text)
  await devices.ann.sync()
  await devices.ben.sync()
  return devices
}

describe('a synced directory in which something happens at the wrong moment', () => {
  it('is not taken for emptied if it goes away while it is scanned', async () => {
    const { ann, ben } = await agreedOn('hay')
    let looks = 0
    const files: FileSystem = {
      ...SYSTEM_FILE_SYSTEM,
      listNow: (at) => (at === ann.root ? [] : SYSTEM_FILE_SYSTEM.listNow(at)),
      open: async (at) => {
        const isMarker = at.startsWith(ann.path('.hayloft'))
        if (isMarker && ++looks > 1) await rename(ann.root, `${ann.root} elsewhere`)
        return await SYSTEM_FILE_SYSTEM.open(at)
      },
    }
    await expect(ann.sync({ files, allowRemovals: true })).rejects.toThrow(RootMissingError)
    await ben.sync()
    expect(await ben.listing()).toEqual({ a: 'hay' })
  })

  it('sends no content but the one that it looked at', async () => {
    const { ann, ben } = await agreedOn('hay')
    await writeFile(ann.path('a'), 'oats')
    const [looked, sent, lookedAgain] = [undefined, 'straw', 'oats']
    await ann.sync({ files: becoming(ann.path('a'), [looked, sent, lookedAgain]) })
    await ann.sync()
    await ben.sync()
    expect(await ben.listing()).toEqual({ a: 'oats' })
  })

  it('does not take for written by its user what it fetched before a crash', async () => {
    const { ann, ben } = await agreedOn('hay')
    await writeFile(ann.path('a'), 'oats')
    await ann.sync()
    const cut = (): Promise<never> => Promise.reject(new Error('the power is cut'))
    await expect(
      ben.sync({ files: { ...SYSTEM_FILE_SYSTEM, syncDirectory: cut } }),
    ).rejects.toThrow('the power is cut')
    expect(await ben.listing()).toEqual({ a: 'oats' })
    await rm(ann.path('a'))
    await ann.sync()
    await ben.sync()
    expect(await ben.listing()).toEqual({})
  })
})
