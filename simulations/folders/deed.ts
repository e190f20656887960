import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../src/foundation/clock.ts'
import type { SlotBase, SlotState } from '../../src/grid/slots/client.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../src/protocol/slot-key.ts'
import type { Draft } from '../merge/oracle.ts'

/** What a write must leave of what it is based on; undefined: all of it. */
export type Expectation = readonly Draft[] | 'refused' | undefined

/** One thing that a user does, and what the slots saw of it. */
export class Deed {
  readonly who: string
  /** What the calendar of the device says for as long as it lasts: no two deeds have the same second. */
  readonly timeMs: number
  /** Told what a write is based on, what it must leave; asked once the write has made its change. @throws Abandoned */
  expect: ((slot: SlotKey, base: SlotBase) => () => Expectation) | undefined
  /** The state that a watch told last. */
  watched: SlotState | undefined
  readonly #reads = new Map<SlotKeyHex, SlotState[]>()
  readonly #writes = new Map<SlotKeyHex, Write>()

  constructor(who: string, timeMs: number) {
    this.who = who
    this.timeMs = timeMs
  }

  /** The states of a slot that were read, the first one first. */
  readsOf(slot: SlotKey): readonly SlotState[] {
    return this.readsNamed(slotKeyHex(slot))
  }

  readsNamed(slot: SlotKeyHex): readonly SlotState[] {
    return this.#reads.get(slot) ?? []
  }

  /** The slots that were read. */
  get slotsRead(): readonly SlotKeyHex[] {
    return [...this.#reads.keys()]
  }

  noteRead(slot: SlotKey, state: SlotState): void {
    this.#reads.set(slotKeyHex(slot), [...this.readsOf(slot), state])
  }

  /** The last attempt to write a slot. */
  writeOf(slot: SlotKey): Write | undefined {
    return this.#writes.get(slotKeyHex(slot))
  }

  noteWrite(slot: SlotKey, write: Write): void {
    this.#writes.set(slotKeyHex(slot), write)
  }
}

/** An attempt to write a slot. */
export interface Write {
  readonly base: SlotBase
  expected: () => Expectation
  /** The commit that was made of it. */
  commit?: string | undefined
}

/** Which deed a call to the slots belongs to, however many are under way. */
export const deeds = new AsyncLocalStorage<Deed>()

/** The time as folders take it: within one deed it stands still, so that what they date by it is known. */
export function clockOfDeeds(clock: Clock): Clock {
  return {
    nowMs: () => deeds.getStore()?.timeMs ?? clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, action) => clock.after(delayMs, action),
  }
}

/** What no storm may do. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** Somebody has seen that what they meant to do is something else by now, and leaves it. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned'
}
