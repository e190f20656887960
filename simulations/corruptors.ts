import { concatBytes } from '../src/foundation/bytes.ts'
import type { GetReply } from '../src/protocol/messages.ts'
import type { SeededRandomness } from './randomness.ts'

/** A share as a node hands it out. */
export type Share = NonNullable<GetReply['share']>

/** Real shares, put in place of what was asked for. */
export interface Decoys {
  /** Another share of the same block. */
  readonly sibling: Share | undefined
  /** A share of another block. */
  readonly stranger: Share | undefined
}

/** Spoils one field of a share; undefined says that nothing is held. */
export type Corruptor = (
  share: Share,
  tools: { readonly randomness: SeededRandomness; readonly decoys: Decoys },
) => Share | undefined

/**
 * Every way in which one field of a share can be wrong, for tests and lying nodes. Whoever reads must notice each of
 * them. Offsets are those of the manifest: version, code, k, n, u32 length, roots.
 */
export const corruptors = {
  'manifest: version': (share) => withManifest(share, (bytes) => add(bytes, 0, 1)),
  'manifest: code': (share) => withManifest(share, (bytes) => add(bytes, 1, 1)),
  'manifest: one more required': (share) => withManifest(share, (bytes) => add(bytes, 2, 1)),
  'manifest: none required': (share) => withManifest(share, (bytes) => bytes.fill(0, 2, 3)),
  'manifest: one more in total': (share) => withManifest(share, (bytes) => add(bytes, 3, 1)),
  'manifest: a byte more ciphertext': (share) => withManifest(share, (bytes) => add(bytes, 7, 1)),
  'manifest: 4 GiB of ciphertext': (share) => withManifest(share, (bytes) => bytes.fill(255, 4, 8)),
  'manifest: root of this share': (share) =>
    withManifest(share, (bytes) => add(bytes, 8 + 32 * share.index, 1)),
  'manifest: root of another share': (share) =>
    withManifest(share, (bytes) => add(bytes, share.index === 0 ? bytes.length - 1 : 8, 1)),
  'manifest: cut short': (share) => ({ ...share, manifest: share.manifest.slice(0, -32) }),
  'manifest: a root more': (share) => ({ ...share, manifest: longer(share.manifest, 32) }),
  "manifest: another block's": (share, { decoys }) => ({
    ...share,
    manifest: decoys.stranger?.manifest ?? new Uint8Array(8),
  }),
  'shard: first bit': (share) => withBytes(share, (bytes) => flip(bytes, 0)),
  'shard: last bit': (share) => withBytes(share, (bytes) => flip(bytes, bytes.length - 1)),
  'shard: any bit': (share, { randomness }) =>
    withBytes(share, (bytes) => flip(bytes, randomness.below(bytes.length))),
  'shard: zeros': (share) => withBytes(share, (bytes) => bytes.fill(0)),
  'shard: garbage': (share, { randomness }) => ({
    ...share,
    bytes: randomness.bytes(share.bytes.length),
  }),
  'shard: a byte short': (share) => ({ ...share, bytes: share.bytes.slice(0, -1) }),
  'shard: one byte only': (share) => ({ ...share, bytes: share.bytes.slice(0, 1) }),
  'shard: a word long': (share) => ({ ...share, bytes: longer(share.bytes, 8) }),
  'shard: of another index': (share, { decoys }) => ({
    ...share,
    bytes: decoys.sibling?.bytes ?? longer(share.bytes, 1),
  }),
  'shard: of another block': (share, { decoys }) => ({
    ...share,
    bytes: decoys.stranger?.bytes ?? longer(share.bytes, 1),
  }),
  'index: another': (share) => ({ ...share, index: share.index === 0 ? 1 : share.index - 1 }),
  'index: impossible': (share) => ({ ...share, index: 254 }),
  'share: of another index': (share, { decoys }) => decoys.sibling,
  'share: of another block': (share, { decoys }) => decoys.stranger,
  'share: denied': () => undefined,
  'proof: spoilt': (share) => ({
    ...share,
    proof: share.proof.length > 0 ? flip(share.proof.slice(), 0) : new Uint8Array(32),
  }),
  'proof: a hash more': (share) => ({ ...share, proof: longer(share.proof, 32) }),
  'header: index is text': (share) => ({ ...share, index: 'zero' as unknown as number }),
  'header: manifest is a number': (share) => ({ ...share, manifest: 7 as unknown as Uint8Array }),
} as const satisfies Record<string, Corruptor>

/** Corruptors of what a reader may ignore: the share is good all the same. */
export const harmlessCorruptors = {
  'held: all and more': (share) => ({ ...share, held: new Uint8Array(32).fill(255) }),
  'held: nothing': (share) => ({ ...share, held: new Uint8Array(0) }),
} as const satisfies Record<string, Corruptor>

export type CorruptorName = keyof typeof corruptors

export const corruptorNames = Object.keys(corruptors) as CorruptorName[]

function withManifest(share: Share, change: (bytes: Uint8Array) => void): Share {
  const manifest = share.manifest.slice()
  change(manifest)
  return { ...share, manifest }
}

function withBytes(share: Share, change: (bytes: Uint8Array) => void): Share {
  const bytes = share.bytes.slice()
  change(bytes)
  return { ...share, bytes }
}

function add(bytes: Uint8Array, at: number, amount: number): void {
  bytes[at] = (bytes[at] ?? 0) + amount
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

function longer(bytes: Uint8Array, by: number): Uint8Array {
  return concatBytes([bytes, new Uint8Array(by)])
}
