import { link, mkdir, open, readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/foundation/bytes.ts'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import type { FileSystem } from '../../../src/gateway/sync/disk/file-system.ts'
import { Stager } from '../../../src/gateway/sync/disk/stager.ts'
import type { ContentName } from '../../../src/gateway/sync/disk/sync-disk.ts'
import { SYSTEM_FILE_SYSTEM } from '../../../src/gateway/sync/disk/system-file-system.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const TEXT = 'a content of some forty bytes, to the end'
const NAME = 'one' as ContentName
const PIECE_BYTES = 4

/** Gives the content in pieces, and fails after some bytes. Notes from where it was asked. */
class Source {
  readonly asked: number[] = []
  readonly text: string

  constructor(text: string = TEXT) {
    this.text = text
  }

  until(endBytes = Infinity): (offset: number) => AsyncGenerator<Uint8Array> {
    const { asked, text } = this
    return async function* (offset) {
      asked.push(offset)
      for (let at = offset; at < text.length; at += PIECE_BYTES) {
        if (at >= endBytes) throw new Error('the line is cut')
        yield await Promise.resolve(utf8(text.slice(at, at + PIECE_BYTES)))
      }
    }
  }
}

interface Bench {
  readonly at: string
  /** As a new process would have it. */
  readonly open: (files?: Partial<FileSystem>) => Promise<Stager>
  readonly stage: (
    stager: Stager,
    chunks: ReturnType<Source['until']>,
    name?: ContentName,
  ) => ReturnType<Stager['stage']>
}

async function bench(): Promise<Bench> {
  const at = join(await temporaryFolder(), 'tmp')
  await mkdir(at)
  return {
    at,
    open: async (files = {}) => {
      const stager = new Stager({
        files: { ...SYSTEM_FILE_SYSTEM, ...files },
        temporaries: at,
        clock: systemClock,
        randomness: systemRandomness,
        onLeft: () => undefined,
        unfinished: { minBytes: 16, stepBytes: 8 },
      })
      await stager.adopt()
      return stager
    },
    stage: async (stager, chunks, name = NAME) =>
      await stager.stage({
        sizeBytes: TEXT.length,
        chunks,
        name,
        mtimeMs: 1_700_000_000_000,
        isExecutable: false,
      }),
  }
}

async function interrupted({ open, stage }: Bench, endBytes: number): Promise<void> {
  await expect(stage(await open(), new Source().until(endBytes))).rejects.toThrow('the line is cut')
}

async function partIn(at: string): Promise<string> {
  const name = (await readdir(at)).find((each) => !each.endsWith('.log'))
  return join(at, name ?? 'none')
}

describe('a content that did not come whole', () => {
  it.each([0, 4, 8, 12, 20, 40])(
    'goes on after what came, where it ended after %i bytes',
    async (endBytes) => {
      const tools = await bench()
      await interrupted(tools, endBytes)
      const source = new Source()
      await using staged = await tools.stage(await tools.open(), source.until())
      expect(source.asked).toEqual([endBytes - (endBytes % 8)])
      expect(await readFile(staged.at, 'utf8')).toBe(TEXT)
      const whole = await tools.stage(await tools.open(), source.until(), 'other' as ContentName)
      expect(staged.hash).toBe(whole.hash)
    },
  )

  it('comes through however many interruptions, each byte hardly more than once', async () => {
    const tools = await bench()
    for (const endBytes of [9, 10, 17, 26, 33]) await interrupted(tools, endBytes)
    const source = new Source()
    await using staged = await tools.stage(await tools.open(), source.until())
    expect(source.asked).toEqual([32])
    expect(await readFile(staged.at, 'utf8')).toBe(TEXT)
  })

  it('comes anew where what is left of it is not what was written', async () => {
    for (const spoil of [
      async (part: string) => await truncate(part, 3),
      async (part: string) => await writeFile(part, 'x'.repeat(24)),
      async (part: string) => await writeFile(`${part}.log`, Buffer.alloc(200)),
      async (part: string) => await truncate(`${part}.log`, 39),
    ]) {
      const tools = await bench()
      await interrupted(tools, 26)
      await spoil(await partIn(tools.at))
      const source = new Source()
      await using staged = await tools.stage(await tools.open(), source.until())
      expect(source.asked).toEqual([0])
      expect(await readFile(staged.at, 'utf8')).toBe(TEXT)
    }
  })

  it('goes on after as much as fits, where its end was lost', async () => {
    const tools = await bench()
    await interrupted(tools, 26)
    const part = await partIn(tools.at)
    const file = await open(part, 'r+')
    await file.write('zzzz', 18)
    await file.close()
    const source = new Source()
    await using staged = await tools.stage(await tools.open(), source.until())
    expect(source.asked).toEqual([16])
    expect(await readFile(staged.at, 'utf8')).toBe(TEXT)
  })

  it('is not written to where it is a file of the user by now', async () => {
    const tools = await bench()
    await interrupted(tools, 26)
    const placed = join(await temporaryFolder(), 'placed')
    await link(await partIn(tools.at), placed)
    await using _ = await tools.stage(await tools.open(), new Source('B'.repeat(41)).until())
    expect(await readFile(placed, 'utf8')).toBe(TEXT.slice(0, 28))
  })

  it('is dropped once nobody wants it, and kept as long as somebody does', async () => {
    const tools = await bench()
    await interrupted(tools, 26)
    const stager = await tools.open()
    await stager.dropUnfinished(new Set([NAME]))
    expect(await readdir(tools.at)).toHaveLength(2)
    await stager.dropUnfinished(new Set(['other' as ContentName]))
    expect(await readdir(tools.at)).toEqual([])
  })

  it('is kept where it came whole and found no place, and gone where it was of no use', async () => {
    const tools = await bench()
    const staged = await tools.stage(await tools.open(), new Source().until())
    await staged[Symbol.asyncDispose]()
    const source = new Source()
    const again = await tools.stage(await tools.open(), source.until())
    expect(source.asked).toEqual([TEXT.length])
    await again.discard()
    expect(await readdir(tools.at)).toEqual([])
  })

  it('is dropped after two weeks, and when another content needs its room', async () => {
    const old = await bench()
    await interrupted(old, 26)
    for (const name of await readdir(old.at)) await utimes(join(old.at, name), 1e9, 1e9)
    await old.open()
    expect(await readdir(old.at)).toEqual([])
    const tight = await bench()
    await interrupted(tight, 26)
    const freeBytes = async (): Promise<number> =>
      (await readdir(tight.at)).length === 0 ? 1e9 : 0
    await using staged = await tight.stage(
      await tight.open({ freeBytes }),
      new Source().until(),
      'b' as ContentName,
    )
    expect(await readFile(staged.at, 'utf8')).toBe(TEXT)
  })

  it('is on its way to two places at once', async () => {
    const tools = await bench()
    const stager = await tools.open()
    const both = await Promise.all(
      [1, 2].map(async () => await tools.stage(stager, new Source().until())),
    )
    expect(both[0]?.at).not.toBe(both[1]?.at)
    for (const { at } of both) expect(await readFile(at, 'utf8')).toBe(TEXT)
  })

  it('leaves nothing where the disk is what failed', async () => {
    const tools = await bench()
    let writes = 0
    const create: FileSystem['create'] = async (at, options) => {
      const file = await SYSTEM_FILE_SYSTEM.create(at, options)
      const write = async (bytes: Uint8Array): Promise<void> => {
        if (++writes > 6) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
        await file.write(bytes)
      }
      return {
        write,
        setTimes: file.setTimes.bind(file),
        sync: file.sync.bind(file),
        close: file.close.bind(file),
      }
    }
    await expect(tools.stage(await tools.open({ create }), new Source().until())).rejects.toThrow(
      'full',
    )
    expect(await readdir(tools.at)).toEqual([])
  })
})
