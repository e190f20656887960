import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../src/foundation/bytes.ts'
import { sha256 } from '../../../src/crypto/hash.ts'
import {
  AgreedVersion,
  type AgreedVersionContext,
} from '../../../src/gateway/sync/engine/agreed-version.ts'
import type { OpenedFile, Signature } from '../../../src/gateway/sync/disk/sync-disk.ts'
import type { SyncRow } from '../../../src/gateway/sync/records/records.ts'
import type { ContentHash, ContentKey, PathText } from '../../../src/gateway/sync/trees.ts'
import { blockId } from '../../../src/protocol/block-id.ts'

const A = 'a' as PathText
const TEXT = 'what was agreed'
const hashOf = (text: string): ContentHash => toHex(sha256(utf8(text))) as ContentHash
const SIGNATURE = 'as it was' as Signature

interface World {
  /** What the disk has by now, whatever its times tell. */
  text: string
  signature: Signature
  isRacy: boolean
  isStored: boolean
  hashes: number
}

function context(world: World): AgreedVersionContext {
  const stored = {
    reference: { key: new Uint8Array(32), id: blockId(new Uint8Array(32)) },
    sizeBytes: TEXT.length,
  }
  const row: SyncRow = {
    synced: {
      kind: 'file',
      hash: hashOf(TEXT),
      key: 'k' as ContentKey,
      isExecutable: false,
      dots: new Map(),
    },
    stored: world.isStored ? stored : undefined,
  }
  const about = {
    isExecutable: false,
    signature: SIGNATURE,
    isRacy: world.isRacy,
    sizeBytes: TEXT.length,
  }
  const file = (): OpenedFile => ({
    chunks: (async function* () {})(),
    signature: world.signature,
    mtimeMs: 0,
    isExecutable: false,
    hash: async () => {
      world.hashes++
      return await Promise.resolve(hashOf(world.text))
    },
    read: async ({ offset, length }) =>
      await Promise.resolve(utf8(world.text).slice(offset, offset + length)),
    isUnchanged: async () => await Promise.resolve(true),
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  })
  return {
    disk: { open: async () => await Promise.resolve(file()) },
    records: { rows: new Map([[A, row]]) },
    scan: { tree: new Map([[A, { kind: 'file', hash: hashOf(TEXT), mtimeMs: 0, ...about }]]) },
    signal: new AbortController().signal,
  }
}

const AS_AGREED: World = {
  text: TEXT,
  signature: SIGNATURE,
  isRacy: false,
  isStored: true,
  hashes: 0,
}

describe('a file that still is what was agreed', () => {
  it('gives its bytes after it was hashed once', async () => {
    const world = { ...AS_AGREED }
    await using version = await AgreedVersion.open(context(world), A)
    const reads = [0, 5, 10].map(async (offset) => await version?.read({ offset, length: 5 }))
    expect(Buffer.concat((await Promise.all(reads)) as Uint8Array[]).toString()).toBe(TEXT)
    expect(world.hashes).toBe(1)
  })

  it('gives nothing where its bytes are others than its times say', async () => {
    await using version = await AgreedVersion.open(context({ ...AS_AGREED, text: 'rotten' }), A)
    expect(await version?.read({ offset: 0, length: 3 })).toBeUndefined()
  })

  it.each([{ signature: 'another' as Signature }, { isRacy: true }, { isStored: false }])(
    'is not taken for it where %j',
    async (change) => {
      expect(await AgreedVersion.open(context({ ...AS_AGREED, ...change }), A)).toBeUndefined()
    },
  )
})
