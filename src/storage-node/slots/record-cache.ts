import type { RecordDigestHex } from '../../protocol/slot-record.ts'

/** A few thousand records: those of the slots that are being worked on. */
const MAX_BYTES = 8 * 1024 * 1024

/**
 * The records used last, by their digest: what it finds is right by construction, whatever has changed meanwhile. Which
 * of them count is for the index to say.
 */
export class RecordCache {
  /** The one used longest ago first. */
  readonly #records = new Map<RecordDigestHex, Uint8Array>()
  #bytes = 0

  get(digest: RecordDigestHex): Uint8Array | undefined {
    const record = this.#records.get(digest)
    if (record !== undefined) {
      this.#records.delete(digest)
      this.#records.set(digest, record)
    }
    return record
  }

  set(digest: RecordDigestHex, record: Uint8Array): void {
    this.delete(digest)
    this.#records.set(digest, record)
    this.#bytes += record.length
    for (const oldest of this.#records.keys()) {
      if (this.#bytes <= MAX_BYTES) return
      this.delete(oldest)
    }
  }

  delete(digest: RecordDigestHex): void {
    const record = this.#records.get(digest)
    if (record === undefined) return
    this.#records.delete(digest)
    this.#bytes -= record.length
  }
}
