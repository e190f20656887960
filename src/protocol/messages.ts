import type { BlockId } from './block-id.ts'
import type { ShareBitmap } from './bitmap.ts'

/**
 * Every request a client makes of a storage node and the reply to it. These are values already decoded and checked;
 * their bytes are in `codec.ts`. Requests are idempotent: one whose reply was lost is sent again.
 */
export interface Exchanges {
  /** Who are you and what do you take? */
  hello: { request: { op: 'hello' }; reply: HelloReply }
  /** Keep this share; acknowledged when it would survive a power cut. The caller gets a lease on it. */
  put: { request: PutRequest; reply: PutReply }
  /** Give me a share, whole or some leaves of it. */
  get: { request: GetRequest; reply: GetReply }
  /** Which shares of these blocks do you hold? */
  have: { request: { op: 'have'; ids: readonly BlockId[] }; reply: HoldingsReply<'have'> }
  /** The same, and lease me what you hold, in one step that no collection can come between. */
  lease: {
    request: { op: 'lease'; ids: readonly BlockId[]; leaseS: number }
    reply: HoldingsReply<'lease'>
  }
  /** Cancel my own leases on every share of these blocks. */
  drop: { request: { op: 'drop'; ids: readonly BlockId[] }; reply: { op: 'drop'; dropped: number } }
  /** Prove that you hold these leaves. */
  audit: { request: { op: 'audit'; leaves: readonly LeafName[] }; reply: AuditReply }
  /** How full are you? */
  stat: { request: { op: 'stat' }; reply: StatReply }
}

export type Op = keyof Exchanges
export type RequestOf<O extends Op> = Exchanges[O]['request']
export type ReplyOf<O extends Op> = Exchanges[O]['reply']
export type Request = RequestOf<Op>
export type Reply = ReplyOf<Op>

export interface HelloReply {
  readonly op: 'hello'
  /** Version of the storage protocol. */
  readonly version: number
  /** Bytes that the node offers to the grid: its weight in placement. */
  readonly capacityBytes: number
  /** Bytes of requests that one caller may have in flight before the node stops reading. */
  readonly inFlightBytes: number
}

export interface PutRequest {
  readonly op: 'put'
  /** Encoded; see `manifest.ts`. */
  readonly manifest: Uint8Array
  readonly index: number
  readonly leaseS: number
  readonly shard: Uint8Array
}

/**
 * - `stored`: kept, on disk for good. `have`: was kept before, now leased to the caller too.
 * - `quota`: the caller's account is at its quota. `full`: the node has no room.
 * - `bad`: the shard is not the one that the manifest names.
 */
export type PutOutcome = 'stored' | 'have' | 'quota' | 'full' | 'bad'

export interface PutReply {
  readonly op: 'put'
  readonly outcome: PutOutcome
}

export interface GetRequest {
  readonly op: 'get'
  readonly id: BlockId
  /** Which share; without it, the lowest that the node holds. */
  readonly index?: number
  /** Which leaves; without it, the whole shard. */
  readonly leaves?: { readonly first: number; readonly count: number }
}

export interface GetReply {
  readonly op: 'get'
  /** Absent when the node does not hold what was asked for. */
  readonly share?: {
    readonly manifest: Uint8Array
    readonly index: number
    /** All that the node holds of this block, so that a reader may ask for another. */
    readonly held: ShareBitmap
    /** Merkle proof for the leaves; empty for a whole shard. */
    readonly proof: Uint8Array
    readonly bytes: Uint8Array
  }
}

export interface HoldingsReply<O extends 'have' | 'lease'> {
  readonly op: O
  /** One bitmap an id, in the order asked; empty where nothing is held. */
  readonly holdings: readonly ShareBitmap[]
}

export interface LeafName {
  readonly id: BlockId
  readonly index: number
  readonly leaf: number
}

export interface AuditReply {
  readonly op: 'audit'
  /** One an asked leaf, in order; undefined where the share or leaf is not held. */
  readonly proofs: readonly (LeafProof | undefined)[]
}

export interface LeafProof {
  readonly bytes: Uint8Array
  readonly proof: Uint8Array
}

export interface StatReply {
  readonly op: 'stat'
  /** Bytes and number of all shares kept. */
  readonly usedBytes: number
  readonly shares: number
  /** Bytes that may still be stored: what is left of the node's capacity or of its disk, whichever is less. */
  readonly freeBytes: number
  readonly capacityBytes: number
  /** The caller's own account. */
  readonly account: { readonly usedBytes: number; readonly quotaBytes: number }
}
