import { fromHex } from '../../foundation/bytes.ts'
import {
  arrayField,
  bytesField,
  checkBytes,
  decodeFields,
  encodeFields,
  integerField,
  MalformedMessageError,
} from '../../protocol/cbor.ts'
import { SLOT_KEY_BYTES, slotKey, slotKeyHex, type SlotKey } from '../../protocol/slot-key.ts'
import { MAX_SLOT_RECORD_BYTES, MIN_SLOT_RECORD_BYTES } from '../../protocol/slot-record.ts'
import {
  decodeVector,
  encodeVector,
  MalformedVectorError,
  MAX_CLOCK_TAGS,
  MAX_COUNTER,
  TAG_BYTES,
  tagHex,
  vectorBytes,
} from '../../protocol/version-vector.ts'
import { HEADS_REMEMBERED } from './known.ts'
import { OWN_DIGEST_BYTES } from './proof.ts'
import type { RememberedSlot, SlotMemory } from './memory.ts'

/** Small values under short names, as a directory of files offers them. Names are of a–z, 0–9 and `-`. */
export interface SmallStore {
  read(name: string): Promise<Uint8Array | undefined>
  /** All or nothing; resolves when it would survive a power cut. */
  write(name: string, value: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
  names(): Promise<readonly string[]>
}

/**
 * Remembers in a {@link SmallStore}: a value of some KB a slot, and an empty one for each that is owed. What
 * cannot be read is as good as forgotten: then a rollback may go unnoticed, but nothing else is lost.
 */
export class StoredSlotMemory implements SlotMemory {
  readonly #store: SmallStore

  constructor(store: SmallStore) {
    this.#store = store
  }

  async load(slot: SlotKey): Promise<RememberedSlot | undefined> {
    const value = await this.#store.read(SLOT + slotKeyHex(slot))
    if (value === undefined) return undefined
    try {
      return decodeRemembered(value)
    } catch (error) {
      const isSpoilt =
        error instanceof MalformedMessageError || error instanceof MalformedVectorError
      if (isSpoilt) return undefined
      throw error
    }
  }

  async save(slot: SlotKey, remembered: RememberedSlot): Promise<void> {
    await this.#store.write(SLOT + slotKeyHex(slot), encodeRemembered(remembered))
  }

  async owed(): Promise<readonly SlotKey[]> {
    const names = await this.#store.names()
    return names.flatMap((name) => {
      const key = name.startsWith(OWED) ? fromHex(name.slice(OWED.length)) : undefined
      return key?.length === SLOT_KEY_BYTES ? [slotKey(key)] : []
    })
  }

  async setOwed(slot: SlotKey, isOwed: boolean): Promise<void> {
    const name = OWED + slotKeyHex(slot)
    if (isOwed) await this.#store.write(name, new Uint8Array(0))
    else await this.#store.remove(name)
  }
}

const SLOT = 'slot-'
const OWED = 'owed-'

function encodeRemembered(remembered: RememberedSlot): Uint8Array {
  const { tag, counter, clock, heads, unsettled, isReady, proof, older } = remembered
  const fields: [number, unknown][] = [
    [0, counter],
    [1, encodeVector(clock)],
    [2, heads],
  ]
  if (tag !== undefined) fields.push([3, fromHex(tag)])
  if (unsettled !== undefined) fields.push([4, unsettled])
  if (isReady === true) fields.push([5, true])
  if (proof !== undefined) {
    fields.push([6, encodeVector(proof.kept)], [7, encodeVector(proof.placed)], [8, proof.own])
  }
  if (older !== undefined) {
    fields.push([9, older.heads], [10, encodeVector(older.clock)], [11, older.sinceMs])
  }
  return encodeFields(new Map(fields))
}

/** @throws MalformedMessageError, MalformedVectorError */
function decodeRemembered(value: Uint8Array): RememberedSlot {
  const fields = decodeFields(value)
  const ofTag = { min: TAG_BYTES, max: TAG_BYTES }
  const ofClock = { max: vectorBytes(MAX_CLOCK_TAGS) }
  const ofRecord = { min: MIN_SLOT_RECORD_BYTES, max: MAX_SLOT_RECORD_BYTES }
  const headsIn = (field: number): Uint8Array[] =>
    arrayField(fields, field, { max: HEADS_REMEMBERED }).map((head) =>
      checkBytes(head, 'A remembered record', ofRecord),
    )
  return {
    counter: integerField(fields, 0, { max: MAX_COUNTER }),
    clock: decodeVector(bytesField(fields, 1, ofClock)),
    heads: headsIn(2),
    ...(fields.has(3) && { tag: tagHex(bytesField(fields, 3, ofTag)) }),
    ...(fields.has(4) && { unsettled: bytesField(fields, 4, ofRecord) }),
    ...(fields.get(5) === true && { isReady: true }),
    ...(fields.has(6) && {
      proof: {
        kept: decodeVector(bytesField(fields, 6, ofClock)),
        placed: decodeVector(bytesField(fields, 7, ofClock)),
        own: bytesField(fields, 8, { min: OWN_DIGEST_BYTES, max: OWN_DIGEST_BYTES }),
      },
    }),
    ...(fields.has(9) && {
      older: {
        heads: headsIn(9),
        clock: decodeVector(bytesField(fields, 10, ofClock)),
        sinceMs: integerField(fields, 11, { max: Number.MAX_SAFE_INTEGER }),
      },
    }),
  }
}
