import type { SlotPutReply, SlotPutRequest } from '../../src/protocol/messages.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'
import type { SlotKey } from '../../src/protocol/slot-key.ts'
import { ALICE, type TestNode } from './storage-nodes.ts'

type PutOptions = { who?: NodeKey } & Partial<Pick<SlotPutRequest, 'leaseS' | 'ifHeads'>>

/** Speaks with a storage node in records instead of messages. */
export async function putRecord(
  node: TestNode,
  record: Uint8Array,
  { who = ALICE, ...options }: PutOptions = {},
): Promise<SlotPutReply> {
  return await node.ask<'slot-put'>(who, { leaseS: 1000, ...options, op: 'slot-put', record })
}

export async function outcomeOf(
  node: TestNode,
  record: Uint8Array,
  options: PutOptions = {},
): Promise<string> {
  return (await putRecord(node, record, options)).outcome
}

/** The heads of a slot, sorted as bytes. */
export async function headsOf(node: TestNode, slot: SlotKey): Promise<Uint8Array[]> {
  const { heads } = await node.ask<'slot-get'>(ALICE, { op: 'slot-get', slots: [slot] })
  return sorted(heads[0] ?? [])
}

export function sorted(records: readonly Uint8Array[]): Uint8Array[] {
  return records.map((record) => new Uint8Array(record)).sort((a, b) => Buffer.compare(a, b))
}

/** Leases slots to someone. @returns positions of those that their quota leaves no room for */
export async function leaseSlots(
  node: TestNode,
  who: NodeKey,
  slots: readonly SlotKey[],
  leaseS = 1000,
): Promise<readonly number[]> {
  return (await node.ask<'slot-get'>(who, { op: 'slot-get', slots, leaseS })).unleased
}
