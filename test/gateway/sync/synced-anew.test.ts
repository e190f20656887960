import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { inConflict } from './support.ts'

describe('a directory that is synced anew', () => {
  it('has each conflict copy once, though the folder shows it and the directory has it', async () => {
    const { ann, ben } = await inConflict()
    const listing = await ann.listing()
    await ann.beginAnew()
    expect(await ann.sync()).toMatchObject({ pending: 0, conflicts: 1 })
    await ben.sync()
    expect(await ann.listing()).toEqual(listing)
    expect(await ben.listing()).toEqual(listing)
  })

  it('keeps what was made of a conflict copy meanwhile', async () => {
    const { ann, ben } = await inConflict()
    const copy = Object.keys(await ann.listing()).find((path) => path.includes('conflict'))
    await ann.beginAnew()
    await writeFile(ann.path(copy ?? ''), 'hay, oats and straw')
    await ann.sync()
    await ben.sync()
    const contents = Object.values(await ben.listing()).sort()
    expect(contents).toEqual(['hay and oats', 'hay and straw', 'hay, oats and straw'])
    expect(await ann.listing()).toEqual(await ben.listing())
  })
})
