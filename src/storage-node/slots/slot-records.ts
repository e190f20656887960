import { equalBytes } from '../../foundation/bytes.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import {
  decodeSlotRecord,
  MalformedSlotRecordError,
  recordDigest,
  recordDigestHex,
} from '../../protocol/slot-record.ts'
import type { KeyValueStore } from '../disk.ts'
import { RecordCache } from './record-cache.ts'
import { recordRowKey, type HeldRecord } from './slot-rows.ts'

/** The bytes of records. The ledger says which of them count. */
export class SlotRecords {
  readonly #rows: Pick<KeyValueStore, 'get' | 'getMany'>
  readonly #cache = new RecordCache()

  constructor(rows: Pick<KeyValueStore, 'get' | 'getMany'>) {
    this.#rows = rows
  }

  /** Takes note of a record that was just written and is likely to be asked for. */
  remember(digest: Uint8Array, record: Uint8Array): void {
    this.#cache.set(recordDigestHex(digest), record)
  }

  /** In order; undefined where the bytes are gone, or are not those that were kept. */
  async readMany(slot: SlotKey, heads: readonly HeldRecord[]): Promise<(Uint8Array | undefined)[]> {
    const found = heads.map(({ digest }) => this.#cache.get(recordDigestHex(digest)))
    const missing = heads.filter((_, at) => found[at] === undefined)
    if (missing.length === 0) return found
    const read = await this.#rows.getMany(missing.map(({ digest }) => recordRowKey(slot, digest)))
    for (const [at, { digest }] of missing.entries()) {
      const record = read[at]
      if (record === undefined || !equalBytes(recordDigest(record), digest)) continue
      this.remember(digest, record)
      found[heads.indexOf(missing[at] as HeldRecord)] = record
    }
    return found
  }

  /** Reads a record from the disk, whatever the cache knows, and verifies it anew. */
  async isIntact(slot: SlotKey, { digest }: HeldRecord): Promise<boolean> {
    const record = await this.#rows.get(recordRowKey(slot, digest))
    return (
      record !== undefined && equalBytes(recordDigest(record), digest) && isRecordOf(slot, record)
    )
  }
}

function isRecordOf(slot: SlotKey, bytes: Uint8Array): boolean {
  try {
    return equalBytes(decodeSlotRecord(bytes).slot, slot)
  } catch (error) {
    if (error instanceof MalformedSlotRecordError) return false
    throw error
  }
}
