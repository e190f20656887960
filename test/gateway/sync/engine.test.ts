import { chmod, mkdir, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { NotEnoughSharesError } from '../../../src/grid/errors.ts'
import { blockId } from '../../../src/protocol/block-id.ts'
import { RootMissingError } from '../../../src/gateway/sync/disk/root-marker.ts'
import type { PathText } from '../../../src/gateway/sync/trees.ts'
import { SharedFolder } from '../../../simulations/sync/folder.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { inConflict, TestDevice, twoDevices } from './support.ts'

const A = 'a' as PathText

describe('a synced directory', () => {
  it('brings files, directories, links, times and modes to another device', async () => {
    const { ann, ben } = await twoDevices()
    await mkdir(ann.path('plans', 'empty'), { recursive: true })
    await writeFile(ann.path('plans', 'barn.txt'), 'wood')
    await writeFile(ann.path('run.sh'), '#!/bin/sh\n')
    await chmod(ann.path('run.sh'), 0o755)
    await symlink('plans/barn.txt', ann.path('link'))
    await utimes(ann.path('plans', 'barn.txt'), 1_700_000_000, 1_700_000_000.5)
    await ann.sync()
    const result = await ben.sync()
    expect(await ben.listing()).toEqual(await ann.listing())
    expect(await ben.listing()).toMatchObject({ 'plans/empty/': '', link: '→ plans/barn.txt' })
    expect(await ben.mtimeMs('plans', 'barn.txt')).toBe(await ann.mtimeMs('plans', 'barn.txt'))
    expect(result).toMatchObject({ pending: 0, problems: [], conflicts: 0 })
  })

  it('does nothing where nothing has changed', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('a'), 'a')
    await ann.sync()
    await ben.sync()
    ann.events.length = 0
    await ann.sync()
    await ben.sync()
    expect(ann.events).toEqual([])
  })

  it('keeps both of two edits, under the same names everywhere', async () => {
    const { ann, ben } = await inConflict()
    const listing = await ann.listing()
    expect(await ben.listing()).toEqual(listing)
    expect(Object.values(listing).sort()).toEqual(['hay and oats', 'hay and straw'])
    expect(Object.keys(listing).some((path) => path.startsWith('list (conflict '))).toBe(true)
  })

  it('lets an edit win over a removal', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('a'), 'first')
    await ann.sync()
    await ben.sync()
    await rm(ann.path('a'))
    await writeFile(ben.path('a'), 'second')
    await ann.sync()
    await ben.sync()
    await ann.sync()
    expect(await ann.listing()).toEqual({ a: 'second' })
    expect(await ben.listing()).toEqual({ a: 'second' })
  })

  it('recognises what both sides have already', async () => {
    const { ann, ben } = await twoDevices()
    for (const device of [ann, ben]) {
      await mkdir(device.path('d'))
      await writeFile(device.path('d', 'same'), 'the same')
    }
    await ann.sync()
    await ben.sync()
    await ann.sync()
    expect(await ben.listing()).toEqual({ 'd/': '', 'd/same': 'the same' })
    expect(await ann.listing()).toEqual(await ben.listing())
  })

  it('asks before it passes on that nearly everything is gone', async () => {
    const { ann, ben } = await twoDevices()
    for (let file = 0; file < 20; file++) await writeFile(ann.path(`${file}`), `${file}`)
    await ann.sync()
    await ben.sync()
    for (let file = 0; file < 18; file++) await rm(ann.path(`${file}`))
    expect((await ann.sync()).hold).toEqual({ removals: 18, files: 20 })
    await ben.sync()
    expect(Object.keys(await ben.listing())).toHaveLength(20)
    expect((await ann.sync({ allowRemovals: true })).hold).toBeUndefined()
    await ben.sync()
    expect(Object.keys(await ben.listing())).toHaveLength(2)
  })

  it('takes a directory without its marker for one that is missing', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('a'), 'a')
    await ann.sync()
    await rm(ann.root, { recursive: true })
    await expect(ann.sync()).rejects.toThrow(RootMissingError)
    await mkdir(ann.root)
    await expect(ann.sync()).rejects.toThrow(RootMissingError)
    await ben.sync()
    expect(await ben.listing()).toEqual({ a: 'a' })
  })

  it('leaves what a folder cannot hold where it is', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(Buffer.concat([Buffer.from(ann.path('bad ')), Buffer.of(0xff)]), 'x')
    await writeFile(ann.path('good'), 'y')
    const { problems } = await ann.sync()
    expect(problems.map(({ why }) => why)).toEqual(['its name is not UTF-8'])
    await ben.sync()
    expect(await ben.listing()).toEqual({ good: 'y' })
  })

  it('never writes to a folder that may only be read, and tells what it keeps back', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('a'), 'a')
    await ann.sync()
    await ben.sync({ power: 'read' })
    await writeFile(ben.path('a'), 'mine')
    await writeFile(ben.path('b'), 'mine, too')
    expect((await ben.sync({ power: 'read' })).unsent).toBe(2)
    await ann.sync()
    expect(await ann.listing()).toEqual({ a: 'a' })
    expect(await ben.listing()).toEqual({ a: 'mine', b: 'mine, too' })
  })

  it.each(['a file where a directory was', 'a directory where a file was'])(
    'brings %s',
    async (what) => {
      const { ann, ben } = await twoDevices()
      const toFile = what.startsWith('a file')
      await mkdir(ann.path('d'))
      await writeFile(ann.path('d', 'inner'), 'inner')
      await writeFile(ann.path('f'), 'f')
      await ann.sync()
      await ben.sync()
      const name = toFile ? 'd' : 'f'
      await rm(ann.path(name), { recursive: true })
      if (toFile) await writeFile(ann.path('d'), 'a file now')
      else {
        await mkdir(ann.path('f'))
        await writeFile(ann.path('f', 'inner'), 'new')
      }
      await ann.sync()
      await ben.sync()
      expect(await ben.listing()).toEqual(await ann.listing())
      expect(await ben.listing()).toMatchObject(toFile ? { d: 'a file now' } : { 'f/inner': 'new' })
    },
  )
})

describe('what is left out of a synced directory', () => {
  it('stays where it is, by rules that go along and rules that do not', async () => {
    const { ann, ben } = await twoDevices()
    await mkdir(ann.path('build'))
    await writeFile(ann.path('build', 'out'), 'made')
    await writeFile(ann.path('a.log'), 'log')
    await writeFile(ann.path('keep.log'), 'keep')
    await writeFile(ann.path('mine'), 'mine')
    await writeFile(ann.path('~$open.doc'), 'an office program')
    await writeFile(ann.path('.hayloftignore'), 'build/\n*.log\n!keep.log\n')
    await writeFile(ann.path('.hayloftignore.local'), '/mine\n')
    await ann.sync()
    await ben.sync()
    const rules = 'build/\n*.log\n!keep.log\n'
    expect(await ben.listing()).toEqual({ '.hayloftignore': rules, 'keep.log': 'keep' })
    await mkdir(ben.path('build'))
    await writeFile(ben.path('build', 'other'), 'of Ben')
    await ben.sync()
    await ann.sync()
    expect(await ann.listing()).toMatchObject({ 'build/out': 'made', mine: 'mine', 'a.log': 'log' })
    expect(Object.keys(await ann.listing())).not.toContain('build/other')
  })

  it('is not removed when it was synced before, and comes back when it is wanted again', async () => {
    const { ann, ben } = await twoDevices()
    await mkdir(ann.path('big'))
    await writeFile(ann.path('big', 'film'), 'long')
    await writeFile(ann.path('a'), 'a')
    await ann.sync()
    await ben.sync()
    const chosen = { only: [], except: ['big' as PathText] }
    await ben.sync({ chosen })
    await rm(ben.path('big'), { recursive: true })
    await ben.sync({ chosen })
    await writeFile(ann.path('big', 'film'), 'longer still')
    await ann.sync()
    expect(await ann.listing()).toEqual({ a: 'a', 'big/': '', 'big/film': 'longer still' })
    await ben.sync({ chosen })
    expect(await ben.listing()).toEqual({ a: 'a' })
    await ben.sync()
    expect(await ben.listing()).toEqual(await ann.listing())
  })

  it('is all but what was chosen', async () => {
    const { ann, ben } = await twoDevices()
    await mkdir(ann.path('photos', '2024'), { recursive: true })
    await mkdir(ann.path('photos', '2025'))
    for (const name of ['2024', '2025']) await writeFile(ann.path('photos', name, 'p'), name)
    await writeFile(ann.path('photos', 'list'), 'list')
    await ann.sync()
    await ben.sync({ chosen: { only: ['photos/2025' as PathText], except: [] } })
    expect(await ben.listing()).toEqual({
      'photos/': '',
      'photos/2025/': '',
      'photos/2025/p': '2025',
    })
  })
})

describe('a directory whose folder may only be read', () => {
  it('is made as the folder again where its user says so, and what they had is kept', async () => {
    const { ann, ben } = await twoDevices()
    for (const name of ['a', 'b', 'c']) await writeFile(ann.path(name), name)
    await ann.sync()
    await ben.sync({ power: 'read' })
    await writeFile(ben.path('a'), 'changed by Ben')
    await writeFile(ben.path('new'), 'new by Ben')
    await rm(ben.path('b'))
    const { unsentPaths } = await ben.sync({ power: 'read' })
    expect([...unsentPaths].sort()).toEqual(['a', 'b', 'new'])
    await ben.sync({ power: 'read', revert: [A] })
    expect(await ben.listing()).toEqual({ a: 'a', c: 'c', new: 'new by Ben' })
    await ben.sync({ power: 'read', revert: 'all' })
    expect(await ben.listing()).toEqual(await ann.listing())
    expect((await readdir(ben.path('.hayloft', 'set-aside'))).sort()).toEqual(['a', 'new'])
  })
})

describe('a directory that takes the place of several versions of a file', () => {
  it('leaves each of them a file that can be changed without the others', async () => {
    const folder = await SharedFolder.create()
    const temporary = await temporaryFolder()
    const names = ['Ann', 'Ben', 'Cleo', 'Dan']
    const devices: TestDevice[] = []
    for (const name of names) devices.push(await TestDevice.create(name, folder, temporary))
    const [ann, ben, cleo, dan] = devices as [TestDevice, TestDevice, TestDevice, TestDevice]
    for (const device of [ann, ben, cleo]) {
      await writeFile(device.path('a'), `by ${device.name}`)
      await device.sync()
    }
    await mkdir(dan.path('a'))
    await writeFile(dan.path('a', 'inner'), 'by Dan')
    await dan.sync()
    const before = await dan.listing()
    expect(Object.values(before).sort()).toEqual(['', 'by Ann', 'by Ben', 'by Cleo', 'by Dan'])
    const edited = Object.keys(before).find((path) => before[path] === 'by Ben') ?? ''
    await writeFile(dan.path(edited), 'changed')
    await dan.sync()
    const after = Object.values(await dan.listing()).sort()
    expect(after).toEqual(['', 'by Ann', 'by Cleo', 'by Dan', 'changed'])
    for (const device of [ann, ben, cleo]) {
      await device.sync()
      expect(await device.listing()).toEqual(await dan.listing())
    }
  })
})

describe('a large file', () => {
  const first = 'block 0.block 1.block 2.block 3.end'

  /** With times that tell when it is changed. */
  async function writeOld(device: TestDevice, text: string, timeS: number): Promise<void> {
    await writeFile(device.path('a'), text)
    await utimes(device.path('a'), timeS, timeS)
    // Its inode has just changed, so that it counts as new for a moment.
    await new Promise((resolve) => setTimeout(resolve, 150))
  }

  it('is fetched as far as it is another than what the disk has', async () => {
    const { ann, ben } = await twoDevices()
    await writeOld(ann, first, 1_700_000_000)
    await ann.sync()
    await ben.sync()
    const second = first.replace('block 2', 'changed')
    await writeOld(ann, `${second} and more`, 1_700_000_100)
    await ann.sync()
    ben.fetchedBytes = 0
    await ben.sync()
    expect(await ben.listing()).toEqual({ a: `${second} and more` })
    expect(ben.fetchedBytes).toBe(8 + 'end and more'.length)
  })

  it('goes on where the nodes went away', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('a'), first)
    await ann.sync()
    let blocks = 0
    ben.fetch = async (block) => {
      if (++blocks > 3) throw new NotEnoughSharesError(blockId(new Uint8Array(32)), AWAY)
      return await Promise.resolve(block)
    }
    expect([...(await ben.sync()).failures.keys()]).toEqual(['a'])
    ben.fetch = async (block) => await Promise.resolve(block)
    ben.fetchedBytes = 0
    await ben.sync()
    expect(await ben.listing()).toEqual({ a: first })
    expect(ben.fetchedBytes).toBe(first.length - 24)
    expect(await readdir(ben.path('.hayloft', 'tmp'))).toEqual([])
  })

  it('that came in part is given up when the folder has another one', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('a'), first)
    await ann.sync()
    let blocks = 0
    ben.fetch = async (block) => {
      if (++blocks === 4) throw new NotEnoughSharesError(blockId(new Uint8Array(32)), AWAY)
      return await Promise.resolve(block)
    }
    await ben.sync()
    await writeFile(ann.path('a'), 'short')
    await ann.sync()
    await ben.sync()
    expect(await ben.listing()).toEqual({ a: 'short' })
    expect(await readdir(ben.path('.hayloft', 'tmp'))).toEqual([])
  })
})

const AWAY = { found: 0, required: 3, mayComeBack: true }
