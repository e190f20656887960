import { Semaphore } from '../../foundation/concurrency.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../protocol/slot-key.ts'
import {
  compareVectors,
  covers,
  joinVectors,
  MAX_CLOCK_TAGS,
  MAX_COUNTER,
  TAG_BYTES,
  tagHex,
  type TagHex,
  type VersionVector,
} from '../../protocol/version-vector.ts'
import { SlotClockFullError } from './errors.ts'
import { clockOf, maximaOf, sameHeads, type Head, type RecordShelf } from './heads.ts'
import type { RememberedSlot, SlotMemory, SlotProof } from './memory.ts'
import { joinProofs, sameProofs } from './proof.ts'

/** What nodes showed when they had gone back to an older state; see {@link RememberedSlot.older}. */
export interface OlderState {
  readonly heads: readonly Head[]
  readonly clock: VersionVector
  readonly sinceMs: number
}

/** What this client knows of one slot, and remembers of it beyond its own end. */
export class KnownSlot {
  readonly slot: SlotKey
  /** Held by whoever writes: writes of one client to one slot come one after another. */
  readonly writing = new Semaphore(1)
  /** Whether nodes were asked since this client started: only then is it sure that no number is used twice. */
  isSynced = false
  /** What nodes were found to have lost when nobody was there to be told. */
  untold: VersionVector | undefined
  /** What nodes must show of it; see {@link SlotProof}. */
  proof: SlotProof | undefined
  #heads: readonly Head[]
  #clock: VersionVector
  #tag: TagHex | undefined
  #counter: number
  #unsettled: Head | undefined
  #isReady = false
  #older: OlderState | undefined
  readonly #memory: SlotMemory
  readonly #listeners = new Set<() => void>()
  /** Saves come one after another, each with what is known by then. */
  #saving: Promise<void> = Promise.resolve()
  #savesPending = 0
  #isUnsaved = false
  #hasFailedToSave = false

  constructor(
    slot: SlotKey,
    remembered: RememberedSlot | undefined,
    { memory, shelf }: { memory: SlotMemory; shelf: RecordShelf },
  ) {
    this.slot = slot
    this.#memory = memory
    this.#tag = remembered?.tag
    this.#counter = remembered?.counter ?? 0
    this.#unsettled = remembered?.unsettled && shelf.read(slot, remembered.unsettled)
    this.#isReady = remembered?.isReady === true
    this.proof = remembered?.proof
    // The last process died before it was sure to have stored what the state leads to.
    if (!this.#isReady) this.abandon()
    const heads = remembered?.heads.map((bytes) => shelf.read(slot, bytes)) ?? []
    this.#heads = maximaOf(heads.filter((head) => head !== undefined))
    this.#clock = joinVectors(remembered?.clock ?? new Map<TagHex, number>(), clockOf(this.#heads))
    const older = remembered?.older
    this.#older = older && {
      ...older,
      heads: older.heads
        .map((bytes) => shelf.read(slot, bytes))
        .filter((head) => head !== undefined),
    }
  }

  /** What nodes showed last while they had lost what is known, until there is something newer. */
  get older(): OlderState | undefined {
    const isOf = this.#older && compareVectors(this.#older.clock, this.#clock) === 'equal'
    return isOf === true ? this.#older : undefined
  }

  /** Notes what nodes show that have lost something: they will not show it once they were given that back. */
  wentBackTo(heads: readonly Head[], nowMs: number): void {
    this.#older = { heads, clock: this.#clock, sinceMs: this.older?.sinceMs ?? nowMs }
  }

  get heads(): readonly Head[] {
    return this.#heads
  }

  /** Nodes must show this as well from now on. @returns whether that is news */
  prove(proof: SlotProof): boolean {
    const joined = this.proof === undefined ? proof : joinProofs(this.proof, proof)
    if (this.proof !== undefined && sameProofs(joined, this.proof)) return false
    this.proof = joined
    return true
  }

  /** Whether nodes are to blame for all that they do not show of what was seen. */
  get isPlaced(): boolean {
    return this.proof !== undefined && covers(this.proof.placed, this.clock)
  }

  /** Everything that was ever seen in the slot. */
  get clock(): VersionVector {
    return this.#clock
  }

  /** Whether someone watches it, writes to it or waits for it to be saved. */
  get isBusy(): boolean {
    return this.#listeners.size > 0 || this.writing.available === 0 || this.#hasToSave
  }

  get #hasToSave(): boolean {
    return this.#isUnsaved || this.#savesPending > 0
  }

  /** Whether memory lacks what it was last told, say as its disk was full. */
  get hasFailedToSave(): boolean {
    return this.#hasFailedToSave
  }

  /**
   * A state of this device that was about to be sent and is not known to be kept: whoever has seen it may have built on
   * it. So it must be settled before this device numbers another one, whose clock would claim to contain it.
   */
  get unsettled(): Head | undefined {
    return this.#unsettled
  }

  /** Notes a state that is about to be sent. It must be saved first, or a crash would forget it. */
  begin(head: Head): void {
    this.#unsettled = head
    this.#isReady = false
  }

  /** All that the state leads to is stored. */
  getReady(): void {
    this.#isReady = true
  }

  /** The state is kept, or what contains it is. */
  conclude(): void {
    this.#unsettled = undefined
  }

  /** Gives the state up. What comes next is numbered under another tag, and so does not claim to contain it. */
  abandon(): void {
    if (this.#unsettled !== undefined) this.#tag = undefined
    this.#unsettled = undefined
  }

  /** Takes in states of the slot. @returns whether one of them is new */
  learn(heads: readonly Head[]): boolean {
    const joined = maximaOf([...this.#heads, ...heads])
    if (sameHeads(joined, this.#heads)) return false
    this.#heads = joined
    this.#clock = joinVectors(this.#clock, clockOf(joined))
    for (const listener of this.#listeners) listener()
    return true
  }

  /** Calls `listener` whenever {@link heads} change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * This device's tag, and how many writes it has numbered under it. Writes under its tag that it does not remember
   * mean that its memory is an old copy: then a new tag is taken, lest a number stand for two writes.
   * @throws SlotClockFullError
   */
  writer(randomness: Randomness): { tag: TagHex; counter: number } {
    const seen = this.#tag === undefined ? Infinity : (this.#clock.get(this.#tag) ?? 0)
    if (this.#tag === undefined || seen > this.#counter || this.#counter >= MAX_COUNTER) {
      this.#tag = tagHex(randomness.bytes(TAG_BYTES))
      this.#counter = 0
    }
    const tags = this.#clock.size + (this.#clock.has(this.#tag) ? 0 : 1)
    if (tags > MAX_CLOCK_TAGS) throw new SlotClockFullError()
    return { tag: this.#tag, counter: this.#counter }
  }

  /** Numbers `count` writes. @returns the clock of a state that contains them and what `base` does */
  advance(base: VersionVector, count: number): VersionVector {
    const clock = new Map(base)
    this.#counter += count
    if (this.#tag !== undefined) clock.set(this.#tag, this.#counter)
    return clock
  }

  /** Resolves when all that is known now would survive a power cut. */
  async save(): Promise<void> {
    this.#isUnsaved = false
    this.#savesPending += 1
    const saved = this.#saveAfter(this.#saving)
    this.#saving = saved.catch(() => undefined)
    await saved
  }

  /** Notes that there is something to {@link save} that may wait until there is more. */
  saveLater(): void {
    this.#isUnsaved = true
  }

  /** Saves what was left for later. */
  async saveLeft(): Promise<void> {
    if (this.#isUnsaved) await this.save()
  }

  async #saveAfter(earlier: Promise<void>): Promise<void> {
    try {
      await earlier
      await this.#memory.save(this.slot, this.#remembered())
      this.#hasFailedToSave = false
    } catch (error) {
      this.#hasFailedToSave = true
      throw error
    } finally {
      this.#savesPending -= 1
    }
  }

  #remembered(): RememberedSlot {
    return {
      counter: this.#counter,
      // Of a clock too full to be written down a part will do: it only serves to notice what is missing.
      clock: new Map([...this.#clock].slice(0, MAX_CLOCK_TAGS)),
      heads: this.#heads.slice(0, HEADS_REMEMBERED).map(({ record }) => record.bytes),
      ...(this.#tag !== undefined && { tag: this.#tag }),
      ...(this.proof !== undefined && { proof: this.proof }),
      ...(this.older !== undefined &&
        this.older.clock.size <= MAX_CLOCK_TAGS && {
          older: {
            ...this.older,
            heads: this.older.heads.slice(0, HEADS_REMEMBERED).map(({ record }) => record.bytes),
          },
        }),
      ...(this.#unsettled !== undefined && {
        unsettled: this.#unsettled.record.bytes,
        isReady: this.#isReady,
      }),
    }
  }
}

/** The slots that a client deals with; what it no longer does is dropped and loaded again when it is needed. */
export class KnownSlots {
  readonly #memory: SlotMemory
  readonly #shelf: RecordShelf
  readonly #slots = new Map<SlotKeyHex, Promise<KnownSlot>>()

  constructor(memory: SlotMemory, shelf: RecordShelf) {
    this.#memory = memory
    this.#shelf = shelf
  }

  async open(slot: SlotKey): Promise<KnownSlot> {
    const name = slotKeyHex(slot)
    const opened = this.#slots.get(name) ?? this.#load(slot)
    // Last in the map's order: used last.
    this.#slots.delete(name)
    this.#slots.set(name, opened)
    if (this.#slots.size > SLOTS_KNOWN) await this.#dropOldest()
    try {
      return await opened
    } catch (error) {
      this.#slots.delete(name)
      throw error
    }
  }

  async #load(slot: SlotKey): Promise<KnownSlot> {
    const tools = { memory: this.#memory, shelf: this.#shelf }
    return new KnownSlot(slot, await this.#memory.load(slot), tools)
  }

  async #dropOldest(): Promise<void> {
    for (const [name, opened] of this.#slots) {
      const known = await opened.catch(() => undefined)
      if (known?.isBusy === true) continue
      this.#slots.delete(name)
      return
    }
  }
}

/** More than a node keeps, since several nodes may hold different ones. */
export const HEADS_REMEMBERED = 32
/** Slots held in memory, about three KiB each. */
const SLOTS_KNOWN = 4096
