import { equalBytes } from '../../foundation/bytes.ts'
import { dropOldest } from '../../foundation/newest.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import {
  decodeSlotRecord,
  MalformedSlotRecordError,
  recordDigest,
  recordDigestHex,
  type RecordDigestHex,
  type SlotRecord,
} from '../../protocol/slot-record.ts'
import { compareVectors, joinVectors, type VersionVector } from '../../protocol/version-vector.ts'

/** A state of a slot, its signature checked. */
export interface Head {
  readonly name: RecordDigestHex
  readonly digest: Uint8Array
  readonly record: SlotRecord
}

/**
 * The states that no other one contains, each once, in the order of their names: what a slot is. The same whatever
 * the order in which nodes tell of them.
 */
export function maximaOf(heads: Iterable<Head>): Head[] {
  const distinct = [...new Map([...heads].map((head) => [head.name, head])).values()]
  return distinct
    .filter(({ record: { clock } }) =>
      distinct.every(({ record }) => compareVectors(clock, record.clock) !== 'before'),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether one of the states is this one, or was made from what contains it. */
export function isContained({ name, record: { clock } }: Head, heads: readonly Head[]): boolean {
  return heads.some(
    (head) => head.name === name || compareVectors(clock, head.record.clock) === 'before',
  )
}

/** All that the states contain together. */
export function clockOf(heads: Iterable<Head>): VersionVector {
  let clock: VersionVector = new Map()
  for (const { record } of heads) clock = joinVectors(clock, record.clock)
  return clock
}

export function sameHeads(some: readonly Head[], others: readonly Head[]): boolean {
  return some.length === others.length && some.every(({ name }, at) => name === others[at]?.name)
}

/** Checks records as nodes hand them out, each only once however many nodes have it: a signature takes its time. */
export class RecordShelf {
  /** In the order of use; undefined for what is no record. */
  readonly #known = new Map<RecordDigestHex, Head | undefined>()

  /** The state that `bytes` are, or undefined if they are no record of this slot. */
  read(slot: SlotKey, bytes: Uint8Array): Head | undefined {
    const digest = recordDigest(bytes)
    const name = recordDigestHex(digest)
    let head = this.#known.get(name)
    if (this.#known.has(name)) this.#known.delete(name)
    else head = check({ name, digest }, bytes)
    this.#known.set(name, head)
    dropOldest(this.#known, RECORDS_REMEMBERED)
    return head !== undefined && equalBytes(head.record.slot, slot) ? head : undefined
  }

  /** The states in a list, or undefined if one of them is none: whoever sends such a list is not to be believed. */
  readAll(slot: SlotKey, list: readonly Uint8Array[]): Head[] | undefined {
    const heads = list.map((bytes) => this.read(slot, bytes))
    return heads.every((head) => head !== undefined) ? heads : undefined
  }
}

function check(names: Pick<Head, 'name' | 'digest'>, bytes: Uint8Array): Head | undefined {
  try {
    // A copy, or a record of one KiB would keep the whole message that brought it.
    return { ...names, record: decodeSlotRecord(bytes.slice()) }
  } catch (error) {
    if (error instanceof MalformedSlotRecordError) return undefined
    throw error
  }
}

/** Records whose check is remembered: one to five MiB. */
const RECORDS_REMEMBERED = 1024
