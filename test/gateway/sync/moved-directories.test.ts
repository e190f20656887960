import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { SYSTEM_FILE_SYSTEM } from '../../../src/gateway/sync/disk/system-file-system.ts'
import type { SyncEvent } from '../../../src/gateway/sync/engine/context.ts'
import { twoDevices, type TestDevice } from './support.ts'

/** Both have a directory of five files. */
async function furnish(ann: TestDevice, ben: TestDevice): Promise<void> {
  await mkdir(ann.path('old', 'below'), { recursive: true })
  for (const name of ['1', '2', '3']) await writeFile(ann.path('old', name), `file ${name}`)
  for (const name of ['4', '5']) await writeFile(ann.path('old', 'below', name), `file ${name}`)
  await ann.sync()
  await ben.sync()
}

function isMove(event: SyncEvent): boolean {
  return 'change' in event && event.change === 'move'
}

describe('a directory that is renamed', () => {
  it('moves a renamed directory on the other device and sends no content', async () => {
    const { ann, ben } = await twoDevices()
    await mkdir(ann.path('old'))
    for (const name of ['1', '2', '3']) await writeFile(ann.path('old', name), `file ${name}`)
    await ann.sync()
    await ben.sync()
    await rename(ann.path('old'), ann.path('new'))
    await ann.sync()
    await ben.sync()
    expect(await ben.listing()).toEqual({
      'new/': '',
      'new/1': 'file 1',
      'new/2': 'file 2',
      'new/3': 'file 3',
    })
    expect(ben.events.filter(isMove)).toMatchObject([{ path: 'new' }])
  })

  it('moves a directory in which something else was changed, and changes that after it', async () => {
    const { ann, ben } = await twoDevices()
    await furnish(ann, ben)
    await rename(ann.path('old'), ann.path('new'))
    await writeFile(ann.path('new', '1'), 'another text')
    await rm(ann.path('new', 'below', '4'))
    await writeFile(ann.path('new', '6'), 'file 6')
    await ann.sync()
    expect(ann.events.filter(isMove)).toMatchObject([{ kind: 'sent', path: 'new' }])
    await ben.sync()
    expect(await ben.listing()).toEqual(await ann.listing())
    expect(ben.events.filter(isMove)).toMatchObject([{ kind: 'received', path: 'new' }])
  })

  it('leaves in its place what others have put into a directory that was renamed meanwhile', async () => {
    const { ann, ben } = await twoDevices()
    await furnish(ann, ben)
    await writeFile(ben.path('old', 'of Ben'), 'file of Ben')
    await ben.sync()
    await rename(ann.path('old'), ann.path('new'))
    await ann.sync()
    await ben.sync()
    expect(await ben.listing()).toEqual(await ann.listing())
    expect(await ben.listing()).toMatchObject({ 'old/of Ben': 'file of Ben', 'new/1': 'file 1' })
  })

  it('moves file by file where the disk does not move a directory', async () => {
    const { ann, ben } = await twoDevices()
    await furnish(ann, ben)
    await rename(ann.path('old'), ann.path('new'))
    await ann.sync()
    const renameNow = (): void => {
      throw Object.assign(new Error('another disk'), { code: 'EXDEV' })
    }
    const { failures, pending } = await ben.sync({
      files: { ...SYSTEM_FILE_SYSTEM, renameNow },
    })
    expect([failures.size, pending]).toEqual([0, 0])
    expect(await ben.listing()).toEqual(await ann.listing())
    expect(ben.events.filter(isMove)).toHaveLength(5)
  })
})
