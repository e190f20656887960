import { blockId } from '../../src/protocol/block-id.ts'
import type { Reply, ReplyOf, Request } from '../../src/protocol/messages.ts'
import { pattern } from '../support/pattern.ts'

export const anId = blockId(new Uint8Array(32).fill(7))
export const putRequest = {
  op: 'put',
  manifest: Uint8Array.of(1, 2, 3),
  index: 4,
  leaseS: 100,
  shard: Uint8Array.of(9),
} as const
export const hello = {
  op: 'hello',
  version: 1,
  capacityBytes: 5_000_000_000,
  inFlightBytes: 1,
} as const

export function share(index: number, bytes: Uint8Array): ReplyOf<'get'> {
  const manifest = Uint8Array.of(1)
  return {
    op: 'get',
    share: { manifest, index, held: Uint8Array.of(1), proof: bytes.subarray(0, 0), bytes },
  }
}

/** A request of each operation on shares and on nodes, and a reply that it might get. */
export const shareSamples: { request: Request; reply: Reply }[] = [
  { request: { op: 'hello' }, reply: hello },
  { request: putRequest, reply: { op: 'put', outcome: 'quota' } },
  {
    request: { op: 'get', id: anId, index: 3, leaves: { first: 1, count: 2 } },
    reply: share(3, pattern(40_000, 3)),
  },
  { request: { op: 'get', id: anId }, reply: { op: 'get' } },
  {
    request: { op: 'have', ids: [anId, anId] },
    reply: { op: 'have', holdings: [Uint8Array.of(5), Uint8Array.of()] },
  },
  {
    request: { op: 'lease', ids: [anId], leaseS: 60 },
    reply: { op: 'lease', holdings: [Uint8Array.of(1)] },
  },
  { request: { op: 'drop', ids: [anId] }, reply: { op: 'drop', dropped: 3 } },
  {
    request: {
      op: 'audit',
      leaves: [
        { id: anId, index: 1, leaf: 2 },
        { id: anId, index: 2, leaf: 0 },
      ],
    },
    reply: {
      op: 'audit',
      proofs: [undefined, { bytes: pattern(16_384, 5), proof: pattern(64, 6) }],
    },
  },
  {
    request: { op: 'audit', leaves: [{ id: anId, index: 0, leaf: 0 }], manifests: true },
    reply: {
      op: 'audit',
      proofs: [
        { bytes: pattern(512, 5), proof: pattern(32, 6), manifest: pattern(72, 7) },
        undefined,
        { bytes: pattern(2, 1), proof: pattern(0, 6), manifest: pattern(40, 8) },
      ],
    },
  },
  {
    request: { op: 'stat' },
    reply: {
      op: 'stat',
      usedBytes: 1,
      shares: 2,
      freeBytes: 3,
      capacityBytes: 4,
      account: { usedBytes: 5, quotaBytes: 6 },
    },
  },
]
