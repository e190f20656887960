import { copyFile } from 'node:fs/promises'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accountSecret } from '../../src/capabilities/account.ts'
import { slotWriteKey } from '../../src/capabilities/slot-keys.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { writeSecrets } from '../../src/home/key-store.ts'
import { homeFiles } from '../../src/home/layout.ts'
import {
  chunksOf,
  HayloftError,
  HomeError,
  openHayloft,
  parsePath,
  toRead,
  toVerify,
  type Hayloft,
} from '../../src/library/index.ts'
import { TestGrid } from '../end-to-end/grid.ts'
import { noise } from '../end-to-end/noise.ts'
import { temporaryFolder } from '../support/temporary.ts'

const NODES = 3
const LARGE_BYTES = 3 * 2 ** 20

let grid: TestGrid
let hayloft: Hayloft

beforeAll(async () => {
  grid = await TestGrid.start(NODES)
  hayloft = await openHayloft({ home: grid.home })
})
afterAll(async () => {
  await hayloft.close()
  await grid.end()
})

describe('opening', () => {
  it('knows the nodes by name and the account by its key and root folder', async () => {
    const names = hayloft.grid.nodes.map(({ name }) => name)
    expect(names.toSorted()).toEqual(['node-01', 'node-02', 'node-03'])
    const [first] = hayloft.grid.nodes
    expect(hayloft.grid.nameOf(first!.key)).toBe(first!.name)
    expect(hayloft.account.key).toMatch(/^[0-9a-f]{64}$/)
    expect(await hayloft.findAlias('home')).toEqual(hayloft.account.rootFolder)
    expect(await hayloft.findAlias('nobody')).toBeUndefined()
  })

  it('refuses a home that belongs to no grid, by a code', async () => {
    const opening = openHayloft({ home: await temporaryFolder() })
    await expect(opening).rejects.toThrow(HomeError)
    await expect(opening).rejects.toMatchObject({ code: 'no-grid' })
  })

  it('is given up by its signal, with the reason', async () => {
    const reason = new Error('never mind')
    const opening = openHayloft({ home: grid.home, signal: AbortSignal.abort(reason) })
    await expect(opening).rejects.toBe(reason)
  })

  it('asks for the passphrase once, however its accents were typed, and says if there is none', async () => {
    const home = await temporaryFolder()
    const files = homeFiles(home)
    await copyFile(homeFiles(grid.home).grid, files.grid)
    await writeSecrets(
      files,
      { account: accountSecret(new Uint8Array(32).fill(1)), identity: new Uint8Array(32).fill(2) },
      { passphrase: Buffer.from('caf\u00E9'), randomness: systemRandomness },
    )
    await expect(openHayloft({ home })).rejects.toMatchObject({ code: 'passphrase-missing' })
    let asked = 0
    const passphrase = (): Promise<string> => {
      asked += 1
      return Promise.resolve('cafe\u0301')
    }
    await using opened = await openHayloft({ home, passphrase })
    expect(await opened.findAlias('home')).toEqual(opened.account.rootFolder)
    expect(asked).toBe(1)
  })
})

describe('what is opened', () => {
  it('closes once, however often it is told to', async () => {
    const other = await openHayloft({ home: grid.home })
    await other.folders.create()
    await Promise.all([other.close(), other.close()])
    await other[Symbol.asyncDispose]()
    await expect(other.files.put(chunksOf('x'.repeat(100)))).rejects.toThrow(HayloftError)
  })

  it('works beside another one on the same home', async () => {
    await using other = await openHayloft({ home: grid.home })
    const { capability } = await hayloft.folders.create()
    const [mine, theirs] = await Promise.all([
      hayloft.folders.open(capability),
      other.folders.open(capability),
    ])
    const put = async (folder: typeof mine, name: string): Promise<void> => {
      const content = await folder.putFile(chunksOf(name), { mtimeMs: 0 })
      await folder.edit([{ kind: 'put', path: parsePath(name), content }])
    }
    await Promise.all([put(mine, 'a'), put(theirs, 'b')])
    const names = (await (await mine.now()).list([])).map(({ name }) => name)
    expect(names).toEqual(['a', 'b'])
  })
})

describe('files', () => {
  it('tell how far they are, up and down, in bytes of the file', async () => {
    const content = noise('progress', LARGE_BYTES)
    const sent: number[] = []
    const { capability } = await hayloft.files.put(chunksOf([content]), {
      onProgress: ({ phase, doneBytes }) => {
        expect(phase).toBe('upload')
        sent.push(doneBytes)
      },
    })
    expect(sent.at(-1)).toBe(LARGE_BYTES)
    expect(sent).toEqual(sent.toSorted((a, b) => a - b))
    if (capability.kind === 'literal') throw new Error('too small a file')
    const received: number[] = []
    const { chunks } = await hayloft.files.get(capability, {
      onProgress: ({ doneBytes, totalBytes }) => {
        expect(totalBytes).toBe(LARGE_BYTES)
        received.push(doneBytes)
      },
    })
    expect((await buffer(chunks)).equals(content)).toBe(true)
    expect(received.at(-1)).toBe(LARGE_BYTES)
  })

  it('are read in their end, past their end, and not from beyond it', async () => {
    const { capability } = await hayloft.files.put(chunksOf(['0123456789'.repeat(10)]))
    const read = async (offset: number, length: number): Promise<string> =>
      await text((await hayloft.files.get(capability, { range: { offset, length } })).chunks)
    expect(await read(98, 50)).toBe('89')
    expect(await read(100, 1)).toBe('')
    await expect(read(101, 1)).rejects.toMatchObject({ code: 'range-invalid' })
  })

  it('throw what their source throws', async () => {
    const failure = new Error('the tape is torn')
    // eslint-disable-next-line typescript/require-await -- a source is asynchronous
    async function* torn(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(2 ** 20)
      throw failure
    }
    await expect(hayloft.files.put(torn())).rejects.toBe(failure)
  })

  it('are checked, repaired and kept by whichever capability one has', async () => {
    const { capability } = await hayloft.files.put(chunksOf('y'.repeat(500)))
    if (capability.kind === 'literal') throw new Error('too small a file')
    for (const each of [capability, toVerify(capability)]) {
      await hayloft.grid.repair(each)
      const checked = await hayloft.grid.check(each, { verify: 'full' })
      expect(checked).toMatchObject({ recoverable: true, healthy: true, sharesTotal: NODES })
      expect(await hayloft.grid.renew(each)).toMatchObject({ recoverable: true })
    }
  })
})

describe('slots', () => {
  it('tell that a file that changes has changed, and how well it is kept', async () => {
    const { mutableFiles, slots } = hayloft
    const { capability } = await mutableFiles.create(chunksOf('one'))
    const before = await slots.look(capability)
    expect(before).toMatchObject({ states: 1, unreadable: 0 })
    const stop = new AbortController()
    const clocks: unknown[] = []
    for await (const now of slots.watch(toRead(capability), stop.signal)) {
      clocks.push(now.clock)
      if (clocks.length === 1) await mutableFiles.write(capability, chunksOf('two'))
      else stop.abort()
    }
    expect(clocks).toHaveLength(2)
    expect(clocks[0]).toEqual(before.clock)
    expect(clocks[1]).not.toEqual(before.clock)
    await slots.settle()
    const health = await slots.repair(toVerify(capability))
    expect(health.holders).toHaveLength(health.copies)
    expect(await slots.check(capability)).toMatchObject({ heads: 1 })
  })

  it('say of what nobody has written that it has no state', async () => {
    const writeKey = slotWriteKey(systemRandomness.bytes(32))
    const nowhere = { kind: 'folder-write' as const, writeKey }
    expect(await hayloft.slots.look(toRead(nowhere))).toMatchObject({ states: 0, unreadable: 0 })
    expect(await hayloft.slots.check(toVerify(nowhere))).toMatchObject({ heads: 0 })
  })
})
