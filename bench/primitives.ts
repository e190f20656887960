import { fork } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { nodeBackend } from '../src/crypto/node-backend.ts'
import { AEAD_TAG_BYTES } from '../src/crypto/aead.ts'
import { erasureCode, shardSize } from '../src/erasure/code.ts'
import { loadErasureEngine } from '../src/erasure/engines.ts'
import { allocateShards } from '../src/erasure/shards.ts'
import { mapConcurrently } from '../src/foundation/concurrency.ts'
import { systemClock, systemRandomness } from '../src/foundation/system.ts'
import { medianBy } from './statistics.ts'

/** Seconds a byte: of wall time with nothing else going on, and of processors in all processes that take part. */
export interface Cost {
  readonly wallS: number
  readonly cpuS: number
}

/** What no storage grid of this kind can do without, measured bare, for blocks of one size and their shares. */
export interface Primitives {
  /** Per byte hashed, in pieces of a share. */
  readonly sha256: Cost
  /** Per byte of plaintext, ChaCha20-Poly1305, in pieces of a block. */
  readonly aead: Cost
  /** Per byte of content: seven parity shards from three. */
  readonly encode: Cost
  /** Per byte of content: two of three data shards, as a reader of any three shares lacks on average (2.1). */
  readonly decode: Cost
  /** Per byte of content: four shards from three others. */
  readonly rebuild: Cost
  /** Per byte over one connection of this machine with itself, in pieces of a share, between two processes. */
  readonly tcp: Cost
  /** Per byte: shares written and synced, ten at a time. */
  readonly durable: Cost
}

export const CODE = erasureCode(3, 10)

export type PrimitiveName = keyof Primitives

/** Medians of a few rounds, each of which handles `volumeBytes`. */
export async function measurePrimitives(
  blockBytes: number,
  { volumeBytes, dir, signal }: { volumeBytes: number; dir: string; signal: AbortSignal },
): Promise<Primitives> {
  const shareBytes = shardSize(CODE, blockBytes)
  const round = async (bytes: number, work: () => unknown): Promise<Cost> => {
    signal.throwIfAborted()
    const pieces = Math.ceil(volumeBytes / bytes)
    const repeat = async (): Promise<void> => {
      for (let piece = 0; piece < pieces; piece++) work()
    }
    return await medianCost(async () => await costOf(pieces * bytes, repeat))
  }
  const share = systemRandomness.bytes(shareBytes)
  const sha256 = await round(shareBytes, () => hash('sha256', share, 'buffer'))
  const aead = await round(blockBytes, sealing(blockBytes))
  const { encode, decode, rebuild } = coding(shareBytes)
  return {
    sha256,
    aead,
    encode: await round(blockBytes, encode),
    decode: await round(blockBytes, decode),
    rebuild: await round(blockBytes, rebuild),
    tcp: await medianCost(async () => await tcpCost(share, volumeBytes)),
    durable: await medianCost(async () => await durableCost(share, { volumeBytes, dir, signal })),
  }
}

const ROUNDS = 5

async function medianCost(measure: () => Promise<Cost>): Promise<Cost> {
  const costs: Cost[] = []
  // The first round is not counted: it compiles, and asks the system for memory.
  await measure()
  for (let round = 0; round < ROUNDS; round++) costs.push(await measure())
  return medianBy(costs, ({ wallS }) => wallS)
}

/** Divided by bytes; `elsewhere` tells what other processes spent. */
async function costOf(bytes: number, work: () => Promise<number | void>): Promise<Cost> {
  const startMs = systemClock.monotonicMs()
  const before = process.cpuUsage()
  const elsewhereS = (await work()) ?? 0
  const { user, system } = process.cpuUsage(before)
  const wallS = (systemClock.monotonicMs() - startMs) / 1000
  return { wallS: wallS / bytes, cpuS: ((user + system) / 1e6 + elsewhereS) / bytes }
}

function sealing(blockBytes: number): () => void {
  const box = {
    key: systemRandomness.bytes(32),
    nonce: new Uint8Array(12),
    associatedData: new Uint8Array(0),
  }
  const plaintext = systemRandomness.bytes(blockBytes)
  const sealed = new Uint8Array(blockBytes + AEAD_TAG_BYTES)
  return () => {
    nodeBackend.sealChaCha20Poly1305(box, plaintext, sealed)
  }
}

function coding(shareBytes: number): Record<'encode' | 'decode' | 'rebuild', () => void> {
  const engine = loadErasureEngine()
  const data = allocateShards(CODE.required, shareBytes)
  for (const shard of data) shard.set(systemRandomness.bytes(shareBytes))
  const parity = allocateShards(CODE.total - CODE.required, shareBytes)
  engine.encode(CODE, data, parity)
  const shares = [...data, ...parity].map((shard, index) => ({ index, shard }))
  const oneDataTwoParity = shares.slice(CODE.required - 1, 2 * CODE.required - 1)
  return {
    encode: () => {
      engine.encode(CODE, data, parity)
    },
    decode: () => {
      engine.reconstruct(CODE, oneDataTwoParity, [0, 1])
    },
    rebuild: () => {
      engine.reconstruct(CODE, shares.slice(-CODE.required), [0, 1, 3, 4])
    },
  }
}

async function tcpCost(piece: Uint8Array, volumeBytes: number): Promise<Cost> {
  const sink = fork(fileURLToPath(new URL('tcp-sink.ts', import.meta.url)))
  try {
    const [{ port }] = (await once(sink, 'message')) as [{ port: number }]
    const report = once(sink, 'message') as Promise<[{ cpuS: number }]>
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const pieces = Math.ceil(volumeBytes / piece.length)
    return await costOf(pieces * piece.length, async () => {
      for (let sent = 0; sent < pieces; sent++) {
        if (!socket.write(piece)) await once(socket, 'drain')
      }
      socket.end()
      await once(socket.resume(), 'end')
      const [{ cpuS }] = await report
      return cpuS
    })
  } finally {
    sink.disconnect()
  }
}

const WRITERS = 10
/** Shares smaller than this go into a log that many are synced with at once, as a database does it. */
const SMALL_SHARE_BYTES = 16 * 1024
/** How many small shares of one node one sync is for. */
const RECORDS_A_SYNC = 32

async function durableCost(
  share: Uint8Array,
  { volumeBytes, dir, signal }: { volumeBytes: number; dir: string; signal: AbortSignal },
): Promise<Cost> {
  const folder = join(dir, 'durable')
  await mkdir(folder, { recursive: true })
  try {
    const each = Math.ceil(volumeBytes / share.length / WRITERS)
    const writers = Array.from({ length: WRITERS }, (_, at) => join(folder, String(at)))
    const write = share.length < SMALL_SHARE_BYTES ? writeLog : writeFiles
    return await costOf(each * WRITERS * share.length, async () => {
      await mapConcurrently(writers, WRITERS, async (path) => await write(path, share, each))
      signal.throwIfAborted()
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeFiles(path: string, share: Uint8Array, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const file = await open(`${path}-${at}`, 'wx')
    await writeAndClose(file, [share])
  }
}

async function writeLog(path: string, share: Uint8Array, count: number): Promise<void> {
  await using file = await open(path, 'a')
  for (let written = 0; written < count; written += RECORDS_A_SYNC) {
    await file.writev(
      Array.from({ length: Math.min(RECORDS_A_SYNC, count - written) }, () => share),
    )
    await file.datasync()
  }
}

async function writeAndClose(file: FileHandle, parts: Uint8Array[]): Promise<void> {
  try {
    await file.writev(parts)
    await file.sync()
  } finally {
    await file.close()
  }
}
