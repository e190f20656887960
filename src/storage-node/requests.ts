import { ACCOUNT_BYTES, accountName } from '../protocol/account-name.ts'
import { BLOCK_ID_BYTES } from '../protocol/block-id.ts'
import {
  MAX_AUDIT_LEAVES,
  MAX_HANDED_LEASES,
  MAX_IDS,
  MAX_LEASE_S,
  MAX_SHARD_BYTES,
  MAX_SHARES,
  MAX_SLOT_HEADS,
  MAX_SLOTS,
  MAX_WATCH_WAIT_S,
} from '../protocol/limits.ts'
import { MANIFEST_HEADER_BYTES } from '../protocol/manifest.ts'
import type { HandedLease, Request } from '../protocol/messages.ts'
import { SLOT_KEY_BYTES } from '../protocol/slot-key.ts'
import { MAX_SLOT_RECORD_BYTES, RECORD_DIGEST_BYTES } from '../protocol/slot-record.ts'

const MAX_MANIFEST_BYTES = MANIFEST_HEADER_BYTES + 32 * MAX_SHARES

/**
 * Finds what is wrong with a request's numbers and sizes. The decoder has checked those that came over the wire; but
 * the node must not depend on which network it stands behind.
 * @returns what breaks the protocol, for the refusal's sentence; undefined if nothing does
 */
export function flawOf(request: Request): string | undefined {
  switch (request.op) {
    case 'hello':
    case 'stat':
      return undefined
    case 'put':
      if (request.manifest.length > MAX_MANIFEST_BYTES) return 'the manifest is too long'
      if (request.shard.length > MAX_SHARD_BYTES) return 'the shard is too long'
      return flawOfIndex(request.index) ?? flawOfLease(request.leaseS)
    case 'transfer':
      if (request.manifest.length > MAX_MANIFEST_BYTES) return 'the manifest is too long'
      if (request.shard.length > MAX_SHARD_BYTES) return 'the shard is too long'
      return flawOfIndex(request.index) ?? flawOfHandedLeases(request.leases)
    case 'slot-transfer':
      if (request.record.length > MAX_SLOT_RECORD_BYTES) return 'the record is too long'
      return flawOfHandedLeases(request.leases)
    case 'get':
      return (
        flawOfIds([request.id]) ??
        (request.index === undefined ? undefined : flawOfIndex(request.index)) ??
        (request.leaves === undefined ? undefined : flawOfLeaves(request.leaves))
      )
    case 'have':
    case 'drop':
      return flawOfIds(request.ids)
    case 'lease':
      return flawOfIds(request.ids) ?? flawOfLease(request.leaseS)
    case 'audit':
      if (request.leaves.length > MAX_AUDIT_LEAVES) return 'it asks for too many leaves'
      return (
        flawOfIds(request.leaves.map(({ id }) => id)) ??
        request.leaves
          .map(({ index, leaf }) => flawOfIndex(index) ?? flawOfLeaves({ first: leaf, count: 1 }))
          .find((flaw) => flaw !== undefined)
      )
    case 'slot-put': {
      const { record, leaseS, ifHeads = [] } = request
      if (record.length > MAX_SLOT_RECORD_BYTES) return 'the record is too long'
      if (ifHeads.length > MAX_SLOT_HEADS) return 'a slot has no more than 8 heads'
      return flawOfDigests(ifHeads) ?? flawOfLease(leaseS)
    }
    case 'slot-get':
      return (
        flawOfSlots(request.slots) ??
        (request.leaseS === undefined ? undefined : flawOfLease(request.leaseS))
      )
    case 'slot-watch': {
      const { watches, waitS } = request
      if (!isWhole(waitS) || waitS > MAX_WATCH_WAIT_S) return 'it wants to wait too long'
      return (
        flawOfSlots(watches.map(({ slot }) => slot)) ??
        flawOfDigests(watches.map(({ known }) => known))
      )
    }
  }
}

function flawOfHandedLeases(leases: readonly HandedLease[]): string | undefined {
  if (leases.length > MAX_HANDED_LEASES) return 'it hands over too many leases'
  const accounts = leases.map(({ account }) => account)
  if (accounts.some(({ length }) => length !== ACCOUNT_BYTES)) return 'an account has 32 bytes'
  if (new Set(accounts.map(accountName)).size < leases.length) return 'an account comes twice'
  return leases.map(({ leaseS }) => flawOfLease(leaseS)).find((flaw) => flaw !== undefined)
}

function flawOfIds(ids: readonly Uint8Array[]): string | undefined {
  if (ids.length > MAX_IDS) return 'it names too many blocks'
  return ids.every(({ length }) => length === BLOCK_ID_BYTES)
    ? undefined
    : 'a block id has 32 bytes'
}

function flawOfSlots(slots: readonly Uint8Array[]): string | undefined {
  if (slots.length > MAX_SLOTS) return 'it names too many slots'
  return slots.every(({ length }) => length === SLOT_KEY_BYTES)
    ? undefined
    : 'the key of a slot has 32 bytes'
}

function flawOfDigests(digests: readonly Uint8Array[]): string | undefined {
  return digests.every(({ length }) => length === RECORD_DIGEST_BYTES)
    ? undefined
    : 'a digest has 32 bytes'
}

function flawOfIndex(index: number): string | undefined {
  return isWhole(index) && index < MAX_SHARES ? undefined : 'there is no such share index'
}

function flawOfLeaves({ first, count }: { first: number; count: number }): string | undefined {
  return isWhole(first) && isWhole(count) && count > 0 ? undefined : 'the leaves are no range'
}

function flawOfLease(leaseS: number): string | undefined {
  return isWhole(leaseS) && leaseS <= MAX_LEASE_S ? undefined : 'the lease is too long'
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
