import { hash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { Bench } from 'tinybench'
import { allocateBytes } from '../src/foundation/bytes.ts'
import { systemRandomness } from '../src/foundation/system.ts'
import { AEAD_TAG_BYTES } from '../src/crypto/aead.ts'
import type { CryptoBackend } from '../src/crypto/backend.ts'
import { deriveKey, prf, taggedHash } from '../src/crypto/hash.ts'
import { LEAF_BYTES, merkleRoot, merkleRootOfLeaves } from '../src/crypto/merkle.ts'
import { nobleBackend } from '../src/crypto/noble-backend.ts'
import { nodeBackend } from '../src/crypto/node-backend.ts'
import { publicKeyOf, sign, verify } from '../src/crypto/signatures.ts'
import { TAGS } from '../src/crypto/tags.ts'

export interface SealingResult {
  readonly name: string
  readonly microseconds: number
  /** Millions of bytes a second; undefined for work whose input has no size worth telling. */
  readonly megabytesPerSecond: number | undefined
}

/**
 * What sealing a block costs: hashing, Merkle trees, AEAD and key derivation, medians on both backends.
 *
 * @param timeMs - how long each measurement runs
 */
export async function measureSealing({ timeMs = 300 } = {}): Promise<SealingResult[]> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 3 })
  const sizes = new Map<string, number>()
  const add = (name: string, bytes: number, work: () => void): void => {
    sizes.set(name, bytes)
    bench.add(name, work)
  }
  const shard = systemRandomness.bytes(SHARD_BYTES)
  add('sha256 of 350 KB, one call to OpenSSL (the floor)', SHARD_BYTES, () => {
    hash('sha256', shard, 'buffer')
  })
  add('merkleRoot of 350 KB', SHARD_BYTES, () => merkleRoot(shard))
  const smallShard = shard.subarray(0, SMALL_SHARD_BYTES)
  add('merkleRoot of 1.4 KB', SMALL_SHARD_BYTES, () => merkleRoot(smallShard))
  addKeys(add)
  for (const backend of [nodeBackend, nobleBackend]) addBackend(add, backend, shard)
  await bench.run()
  return bench.tasks.map((task) => {
    if (!('latency' in task.result)) throw new Error(`${task.name} did not complete`)
    const microseconds = task.result.latency.p50 * 1_000
    const bytes = sizes.get(task.name) ?? 0
    const megabytesPerSecond = bytes > 0 ? bytes / microseconds : undefined
    return { name: task.name, microseconds, megabytesPerSecond }
  })
}

type Add = (name: string, bytes: number, work: () => void) => void

/** One shard of a full block in a 3-of-10 code, and of a small file. */
const SHARD_BYTES = 350_000
const SMALL_SHARD_BYTES = 1_400

function addKeys(add: Add): void {
  const key = systemRandomness.bytes(32)
  const publicKey = publicKeyOf(key)
  const signature = sign(key, TAGS.slotSignature, key)
  const signed = { publicKey, message: key, signature }
  add('deriveKey', 0, () => deriveKey(key, 'read'))
  add('prf of 32 B', 0, () => prf(key, TAGS.blockKey, key))
  add('taggedHash of 32 B', 0, () => taggedHash(TAGS.blockId, key))
  add('sign 32 B', 0, () => sign(key, TAGS.slotSignature, key))
  add('verify 32 B', 0, () => verify(TAGS.slotSignature, signed))
}

function addBackend(add: Add, backend: CryptoBackend, shard: Uint8Array): void {
  const { name } = backend
  const digest = new Uint8Array(32)
  const leaves = Array.from({ length: Math.ceil(shard.length / LEAF_BYTES) }, (_, i) =>
    shard.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES),
  )
  add(`${name}: sha256 of 350 KB`, shard.length, () => backend.sha256Into(shard, digest, 0))
  add(`${name}: Merkle root of 350 KB`, shard.length, () => merkleRootOfLeaves(leaves, backend))
  const key = systemRandomness.bytes(32)
  const box = { key, nonce: new Uint8Array(12), associatedData: new Uint8Array(0) }
  for (const [label, length] of [
    ['1 MiB', 2 ** 20],
    ['4 KiB', 4_096],
  ] as const) {
    const plaintext = systemRandomness.bytes(length)
    const sealed = allocateBytes(length + AEAD_TAG_BYTES)
    backend.sealChaCha20Poly1305(box, plaintext, sealed)
    add(`${name}: seal ${label}`, length, () => {
      backend.sealChaCha20Poly1305(box, plaintext, sealed)
    })
    add(`${name}: open ${label}`, length, () => backend.openChaCha20Poly1305(box, sealed))
  }
  const salt = new Uint8Array(0)
  add(`${name}: HKDF to 32 B`, 0, () => backend.hkdfSha256(key, { salt, info: key, length: 32 }))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const results = await measureSealing()
  if (process.argv.includes('--json')) console.log(JSON.stringify(results, undefined, 2))
  else {
    for (const { name, microseconds, megabytesPerSecond } of results) {
      const rate = megabytesPerSecond === undefined ? '' : `${megabytesPerSecond.toFixed(0)} MB/s`
      console.log(name.padEnd(52), `${microseconds.toFixed(2)} µs`.padStart(14), rate.padStart(12))
    }
  }
}
