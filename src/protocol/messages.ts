import type { BlockId } from './block-id.ts'
import type { ShareBitmap } from './bitmap.ts'
import type { SlotKey } from './slot-key.ts'

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
  /** Cancel my own leases on every share of these blocks, and on these slots. */
  drop: {
    request: { op: 'drop'; ids: readonly (BlockId | SlotKey)[] }
    reply: { op: 'drop'; dropped: number }
  }
  /** Prove that you hold these leaves; with their blocks' manifests, for who has not seen them. */
  audit: {
    request: { op: 'audit'; leaves: readonly LeafName[]; manifests?: true }
    reply: AuditReply
  }
  /** How full are you? And by whom, if wanted. */
  stat: { request: { op: 'stat'; accounts?: true }; reply: StatReply }
  /** Let this record be a head of its slot; acknowledged like a share. The caller gets a lease on the slot. */
  'slot-put': { request: SlotPutRequest; reply: SlotPutReply }
  /** What are the heads of these slots? With a lease, renew mine on those that are there, in one step. */
  'slot-get': { request: SlotGetRequest; reply: SlotGetReply }
  /** Tell me when the heads of one of these slots are others than those I know. */
  'slot-watch': { request: SlotWatchRequest; reply: SlotWatchReply }
  /** I am going: keep this share for these accounts in my place; acknowledged like a PUT. */
  transfer: { request: TransferRequest; reply: TransferReply<'transfer'> }
  /** The same of a slot's record. */
  'slot-transfer': { request: SlotTransferRequest; reply: TransferReply<'slot-transfer'> }
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
  /** Of the block, encoded; only if it was asked for. */
  readonly manifest?: Uint8Array | undefined
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
  /** Who stores how much, if asked for and the node tells: those who store most first, at most 512. */
  readonly accounts?: readonly AccountUsage[]
}

/** What one account stores on a node. */
export interface AccountUsage {
  /** 32 bytes. */
  readonly account: Uint8Array
  /** Of what it leases itself. */
  readonly usedBytes: number
  /** Of what another node has handed over for it, and it has not renewed since. */
  readonly handedBytes: number
  /** Absent for one that may store nothing here any more. */
  readonly quotaBytes?: number
}

/** A lease that a node gives into the keeping of another one. */
export interface HandedLease {
  /** 32 bytes. */
  readonly account: Uint8Array
  /** How long it lasts from now on. */
  readonly leaseS: number
}

export interface TransferRequest {
  readonly op: 'transfer'
  /** Encoded. */
  readonly manifest: Uint8Array
  readonly index: number
  /** Each account once; at most 512. */
  readonly leases: readonly HandedLease[]
  readonly shard: Uint8Array
}

export interface SlotTransferRequest {
  readonly op: 'slot-transfer'
  readonly record: Uint8Array
  readonly leases: readonly HandedLease[]
}

/**
 * - `stored`: kept, on disk for good, under the leases that are not refused. `have`: it was kept before, or a record that
 *   contains it is; likewise leased.
 * - `quota`: none of these accounts may store so much here. `full`: the node has no room.
 * - `later`: the caller has handed over as much as this node takes in a day.
 * - `bad`: the shard is not the one that the manifest names, or the record none. `expired`: of a record, its time is over.
 */
export type TransferOutcome = 'stored' | 'have' | 'quota' | 'full' | 'bad' | 'later' | 'expired'

export interface TransferReply<O extends 'transfer' | 'slot-transfer'> {
  readonly op: O
  readonly outcome: TransferOutcome
  /** Positions, ascending, of leases that were not taken over: no member's, or beyond a quota. */
  readonly refused: readonly number[]
}

export interface SlotPutRequest {
  readonly op: 'slot-put'
  /** Encoded; see `slot-record.ts`. */
  readonly record: Uint8Array
  readonly leaseS: number
  /**
   * Compare and swap: keep it only if the slot's heads are exactly those with these digests (at most 8, in any order;
   * none for a slot that must be empty).
   */
  readonly ifHeads?: readonly Uint8Array[]
}

/**
 * - `stored`: a head now, on disk for good; what it strictly contains is no head any more. `have`: was one before.
 * - `stale`: another record contains it and more.
 * - `merge-first`: the slot has as many heads as a node keeps, and this record contains none of them.
 * - `heads-differ`: the heads are not those of `ifHeads`.
 * - `expired`: its time is over. `quota`, `full`: as for shares. `bad`: it is no record of a slot.
 */
export type SlotPutOutcome =
  | 'stored'
  | 'have'
  | 'stale'
  | 'merge-first'
  | 'heads-differ'
  | 'expired'
  | 'quota'
  | 'full'
  | 'bad'

export interface SlotPutReply {
  readonly op: 'slot-put'
  readonly outcome: SlotPutOutcome
  /** Encoded records: what the heads of the slot are now, in any order. None for a `bad` record, which names no slot. */
  readonly heads: readonly Uint8Array[]
}

export interface SlotGetRequest {
  readonly op: 'slot-get'
  /** At most 64. */
  readonly slots: readonly SlotKey[]
  readonly leaseS?: number
}

export interface SlotGetReply {
  readonly op: 'slot-get'
  /** Encoded records, in the order of the slots asked for; none where nothing is held. */
  readonly heads: readonly (readonly Uint8Array[])[]
  /** Positions, ascending, of slots that are held but that the caller's quota leaves no room to lease. */
  readonly unleased: readonly number[]
}

export interface SlotWatchRequest {
  readonly op: 'slot-watch'
  /** At most 64. */
  readonly watches: readonly SlotWatch[]
  /** How long to wait for a change, at most 60. */
  readonly waitS: number
}

export interface SlotWatch {
  readonly slot: SlotKey
  /** The caller's heads, by `headsDigest`; 32 bytes. */
  readonly known: Uint8Array
}

export interface SlotWatchReply {
  readonly op: 'slot-watch'
  /** Slots whose heads are others than the caller knew, each once; none if nothing changed in time. */
  readonly changed: readonly ChangedSlot[]
}

export interface ChangedSlot {
  readonly slot: SlotKey
  /** Encoded records. */
  readonly heads: readonly Uint8Array[]
}
