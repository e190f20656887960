import { expect, it, vi } from 'vitest'
import { slotWriteKey, slotReadKeys } from '../../src/capabilities/slot-keys.ts'
import type * as Aead from '../../src/crypto/aead.ts'
import { readKeyOf } from '../../src/crypto/block-keys.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import { walkDirectory } from '../../src/folders/read.ts'
import type { BlockReference } from '../../src/grid/files/index-node.ts'
import { readAll } from '../../simulations/bytes.ts'
import { TestDevice } from '../support/devices.ts'
import { someBytes, testGrid } from '../support/grid.ts'
import { linkTo, TestFolder } from '../support/trees.ts'

/** Everything that came out of sealed boxes since the list was emptied. */
const opened: Uint8Array[] = []

vi.mock('../../src/crypto/aead.ts', async (original) => {
  const aead = await original<typeof Aead>()
  const noted = (plaintext: Uint8Array | undefined): Uint8Array | undefined => {
    if (plaintext !== undefined) opened.push(plaintext.slice())
    return plaintext
  }
  return {
    ...aead,
    open: (...box: Parameters<typeof Aead.open>) => noted(aead.open(...box)),
    openBox: (...box: Parameters<typeof Aead.openBox>) => noted(aead.openBox(...box)),
  }
})

const FILES: Readonly<Record<string, Uint8Array>> = {
  'salary negotiations/first letter.txt': someBytes(3_001, 1),
  'salary negotiations/second letter.txt': someBytes(70_003, 2),
  'holiday film.mkv': someBytes(2 ** 20 + 123_457, 3),
}
const LITERAL = utf8('the alarm code is four three two one')

it('who may only verify checks, renews and repairs a tree without learning what is in it', async () => {
  await using grid = await testGrid()
  await using writer = new TestDevice(grid)
  await using folder = new TestFolder(writer, 'an outer folder')
  await using inner = new TestFolder(writer, 'an inner folder')
  await grid.run(async () => {
    const [first, ...rest] = Object.entries(FILES)
    await inner.commit({ 'divorce papers.pdf': await inner.file(first![1]) })
    const link = linkTo(folder, 'an inner folder')
    const literal = { kind: 'literal' as const, bytes: LITERAL, mtimeMs: 0 }
    await folder.commit({ 'private folder': link, 'code.txt': literal })
    const files = [first!, ...rest].map(async ([path, content]) => {
      return [path, await folder.file(content)] as const
    })
    await folder.commit(Object.fromEntries(await Promise.all(files)))
  })
  const secrets = await grid.run(() => secretsOf([folder, inner]))

  await using verifier = new TestDevice(grid)
  const seen: Uint8Array[] = []
  for (const { key } of grid.nodes) {
    verifier.liars.set(key, async (request, honest) => {
      collectBytes(request, seen)
      const reply = await honest()
      collectBytes(reply, seen)
      return reply
    })
  }
  const told: unknown[] = []
  const onProgress = (event: object): void => {
    told.push(event)
  }
  opened.length = 0
  for (const node of grid.nodes.slice(0, 3)) await grid.run(() => node.empty())
  await grid.run(async () => {
    const { capability } = folder
    told.push(await verifier.own.check(capability, { verify: 'full', onProgress }))
    told.push(await verifier.own.renew(capability, { onProgress }))
    told.push(await verifier.own.repair(capability, { onProgress }))
    told.push(await verifier.own.check(capability, { verify: 'audit', onProgress }))
  })
  expect(told.at(-1)).toMatchObject({ healthy: true, slots: { total: 2 } })
  seen.push(utf8(JSON.stringify(told)))
  expect(opened.length).toBeGreaterThan(20)
  expect(found(secrets.long, [...seen, ...opened])).toEqual([])
  // Numbers of four bytes come about by chance in megabytes of ciphertext, and not in what was opened.
  expect(found(secrets.sizes, [...opened, utf8(JSON.stringify(told))])).toEqual([])

  // The same search finds all of it in what a reader opens, but for the keys that nobody is ever sent.
  opened.length = 0
  await grid.run(() => readEverything([folder, inner]))
  const read = found([...secrets.long, ...secrets.sizes], opened)
  for (const [path, content] of Object.entries(FILES)) {
    for (const name of path.split('/')) expect(read).toContain(name)
    expect(read).toContain(`content at 0 of ${content.length}`)
    expect(read).toContain(`size ${content.length} in CBOR`)
  }
  expect(read).toContain('a literal')
  expect(read).toContain('key of a file')
})

interface Secret {
  readonly name: string
  readonly bytes: Uint8Array
}

async function secretsOf(
  folders: readonly TestFolder[],
): Promise<{ long: Secret[]; sizes: Secret[] }> {
  const long: Secret[] = [
    { name: 'a literal', bytes: LITERAL },
    { name: 'a device', bytes: utf8('laptop') },
  ]
  const add = (name: string, bytes: Uint8Array): number => long.push({ name, bytes })
  const addKeys = (what: string, { key }: BlockReference): void => {
    add(`key of ${what}`, key)
    add(`read key of ${what}`, readKeyOf(key))
  }
  for (const { keys, store, states } of folders) {
    add('a read key', keys.readKey)
    add('a payload key', slotReadKeys(keys.readKey).payloadBoxKey)
    add('a convergence secret', keys.convergence)
    add("a children's key", keys.childrenKey)
    for (const state of states) {
      addKeys('a root', state.root)
      for await (const { name, entry } of walkDirectory(store, state, [])) {
        add(name, utf8(name))
        if ('reference' in entry) addKeys(`a ${entry.kind}`, entry.reference)
        if ('sealedWriteKey' in entry) add('a sealed write key', entry.sealedWriteKey!)
      }
    }
  }
  for (const name of ['an outer folder', 'an inner folder']) {
    add('a write key', slotWriteKey(sha256(utf8(name))))
  }
  const sizes: Secret[] = []
  for (const content of Object.values(FILES)) {
    const { length } = content
    for (const at of [0, length >> 1, length - 16]) {
      add(`content at ${at} of ${length}`, content.slice(at, at + 16))
    }
    sizes.push(...encodingsOf(length))
  }
  return { long, sizes }
}

/** A number in every way in which it might be written down. */
function encodingsOf(size: number): Secret[] {
  const view = new DataView(new ArrayBuffer(5))
  view.setUint32(1, size)
  const bigEndian = new Uint8Array(view.buffer, 1)
  const isShort = size < 2 ** 16
  view.setUint8(isShort ? 2 : 0, isShort ? 0x19 : 0x1a)
  const cbor = new Uint8Array(view.buffer, isShort ? 2 : 0).slice()
  view.setUint32(1, size)
  return [
    { name: `size ${size} in CBOR`, bytes: cbor },
    { name: `size ${size}`, bytes: bigEndian.slice() },
    { name: `size ${size} reversed`, bytes: bigEndian.slice().reverse() },
    { name: `size ${size} in digits`, bytes: utf8(String(size)) },
  ]
}

async function readEverything(folders: readonly TestFolder[]): Promise<void> {
  for (const { device, states } of folders) {
    await using store = device.own.openBlockStore({ convergence: new Uint8Array(32) })
    for (const state of states) {
      for await (const { entry } of walkDirectory(store, state, [])) {
        if (entry.kind !== 'file') continue
        await readAll(device.own, { kind: 'file-read', ...entry.reference })
      }
    }
  }
}

/** Names of the secrets that occur in some of the bytes. */
function found(secrets: readonly Secret[], places: readonly Uint8Array[]): string[] {
  const buffers = places.map((place) => Buffer.from(place))
  const names = secrets
    .filter(({ bytes }) => buffers.some((place) => place.includes(Buffer.from(bytes))))
    .map(({ name }) => name)
  return [...new Set(names)]
}

function collectBytes(value: unknown, into: Uint8Array[]): void {
  if (value instanceof Uint8Array) into.push(value.slice())
  else if (typeof value === 'string') into.push(utf8(value))
  else if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) collectBytes(part, into)
  }
}
