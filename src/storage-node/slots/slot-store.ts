import { compareBytes, equalBytes, viewOf } from '../../foundation/bytes.ts'
import type { Clock } from '../../foundation/clock.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { slotKeyHex, type SlotKey } from '../../protocol/slot-key.ts'
import { headsDigest, recordDigest, type SlotRecord } from '../../protocol/slot-record.ts'
import type { ReportStorageEvent } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import type { Room } from '../room.ts'
import type { Claim, Tenant } from '../claims.ts'
import { confirmedSlot } from '../handed-over.ts'
import {
  keepRecord,
  leaseSlot,
  type Kept,
  type OfferedRecord,
  type SlotOutcome,
} from './keep-record.ts'
import { liveHeads } from './register.ts'
import { withoutHead, withoutSlotLease } from './slot-leases.ts'
import type { SlotRecords } from './slot-records.ts'
import { MAX_LAPSE_S, type HeldRecord, type SlotRow } from './slot-rows.ts'

/** The most times that heads are read again because they changed meanwhile, or turned out to be lost. */
const MAX_READ_ROUNDS = 100

export interface SlotStoreOptions {
  readonly ledger: Ledger
  readonly records: SlotRecords
  readonly room: Room
  /** Tells the calendar's time, by which records expire. */
  readonly clock: Pick<Clock, 'nowMs'>
  /** Tells the time that leases are counted in. */
  readonly leaseNowS: () => number
  readonly randomness: Randomness
  readonly report: ReportStorageEvent
  /** Called when the heads of a slot have changed, for good. */
  readonly onChange: (slot: SlotKey) => void
}

export interface SlotPutResult {
  readonly outcome: SlotOutcome
  readonly heads: readonly Uint8Array[]
}

/**
 * Slots, and who leases them until when. Writes to one slot happen one after another, as all changes of the ledger do,
 * and what was acknowledged survives a crash. Fails with the disk's errors only.
 */
export class SlotStore {
  readonly ledger: Ledger
  readonly records: SlotRecords
  readonly #options: SlotStoreOptions

  constructor(options: SlotStoreOptions) {
    this.ledger = options.ledger
    this.records = options.records
    this.#options = options
  }

  /** The time that leases are counted in. */
  nowS(): number {
    return this.#options.leaseNowS()
  }

  /** Offers a record to its slot and, if it is a head then, leases the slot to whom the claim says. */
  async put(claim: Claim, offered: OfferedRecord): Promise<SlotPutResult> {
    await this.#options.room.refresh()
    const { slot } = offered.record
    const digest = recordDigest(offered.record.bytes)
    let kept = await this.#offer(claim, offered, digest)
    if (kept.outcome === 'have') {
      const held = kept.row?.heads.find((head) => equalBytes(head.digest, digest))
      // Somebody brings a good copy of what has rotted here: the way a repair reaches this node.
      if (held !== undefined && !(await this.records.isIntact(slot, held))) {
        await this.strikeOff(slot, held)
        kept = await this.#offer(claim, offered, digest)
      }
    }
    const isHeld = kept.outcome === 'stored' || kept.outcome === 'have'
    return {
      outcome: kept.outcome,
      // Who brought a record has it.
      heads: await this.#readHeads(slot, isHeld ? withoutRecord(kept.row, digest) : kept.row),
    }
  }

  /** Heads of each slot. With `leaseS`, leases to the tenant what is held of them, as far as its quota goes. */
  async get(
    tenant: Tenant,
    slots: readonly SlotKey[],
    leaseS?: number,
  ): Promise<{ heads: Uint8Array[][]; unleased: number[] }> {
    const { rows, unleased } =
      leaseS === undefined
        ? { rows: await this.ledger.readSlots(slots), unleased: [] }
        : await this.#lease(tenant, slots, leaseS)
    const heads: Uint8Array[][] = []
    for (const [at, slot] of slots.entries()) heads.push(await this.#readHeads(slot, rows[at]))
    return { heads, unleased }
  }

  async headsOf(slot: SlotKey): Promise<Uint8Array[]> {
    const [row] = await this.ledger.readSlots([slot])
    return await this.#readHeads(slot, row)
  }

  /** Those of the slots whose heads have another digest than the one that is known, with their heads. */
  async changedSince(
    watches: readonly { readonly slot: SlotKey; readonly known: Uint8Array }[],
  ): Promise<{ slot: SlotKey; heads: Uint8Array[] }[]> {
    const rows = await this.ledger.readSlots(watches.map(({ slot }) => slot))
    const changed = new Map<string, { slot: SlotKey; heads: Uint8Array[] }>()
    for (const [at, { slot, known }] of watches.entries()) {
      const live = liveHeads(rows[at], this.#calendarS())
      if (equalBytes(headsDigest(live.map(({ digest }) => digest)), known)) continue
      changed.set(slotKeyHex(slot), { slot, heads: await this.#readHeads(slot, rows[at]) })
    }
    return [...changed.values()]
  }

  /** Ends the account's own leases on the slots. @returns how many there were */
  async drop(account: string, slots: readonly SlotKey[]): Promise<number> {
    return await this.ledger.commit({
      slots,
      apply: (draft) => {
        let dropped = 0
        for (const slot of slots) {
          const row = draft.slot(slot)
          if (row === undefined) continue
          const own = withoutSlotLease(row, draft.numberOf(account))
          const left = confirmedSlot(draft, own, account)
          const count = row.leases.length - left.leases.length
          if (count > 0) draft.setSlot(slot, left)
          dropped += count
        }
        return dropped
      },
    })
  }

  /**
   * Takes a record that is lost off the books and reports it, unless it is gone or replaced by now.
   * @returns whether it was still there
   */
  async strikeOff(slot: SlotKey, lost: HeldRecord): Promise<boolean> {
    const struck = await this.ledger.commit({
      slots: [slot],
      apply: (draft) => {
        const row = draft.slot(slot)
        const held = row?.heads.find((head) => isSameCopy(head, lost))
        if (row === undefined || held === undefined) return false
        draft.setSlot(slot, withoutHead(row, held))
        return true
      },
    })
    if (struck) this.#options.report({ kind: 'record-lost', slot })
    return struck
  }

  /**
   * Does the same for a slot whose row has rotted. What its leases counted for stays on the books until these are added up
   * again, and its records on the disk: eight at most.
   */
  async strikeOffRow(slot: SlotKey): Promise<boolean> {
    const struck = await this.ledger.commit({
      slots: [slot],
      apply: (draft) => {
        if (draft.slot(slot) !== undefined) return false
        draft.setSlot(slot, { heads: [], leases: [] })
        return true
      },
    })
    if (struck) this.#options.report({ kind: 'record-lost', slot })
    return struck
  }

  async #offer(claim: Claim, offered: OfferedRecord, digest: Uint8Array): Promise<Kept> {
    const { record } = offered
    const kept = await this.ledger.commit({
      slots: [record.slot],
      contentBytes: record.bytes.length,
      apply: (draft) =>
        keepRecord(draft, {
          ...offered,
          claim,
          head: this.#headOf(record, digest),
          calendarS: this.#calendarS(),
          room: this.#options.room,
        }),
    })
    if (kept.outcome === 'stored') {
      this.records.remember(digest, record.bytes)
      this.#options.onChange(record.slot)
    }
    return kept
  }

  #headOf({ bytes, expiresS, clock }: SlotRecord, digest: Uint8Array): HeldRecord {
    const lapsesS =
      expiresS === 0 ? 0 : Math.min(this.nowS() + expiresS - this.#calendarS(), MAX_LAPSE_S)
    const tag = viewOf(this.#options.randomness.bytes(4)).getUint32(0)
    return { digest, tag, expiresS, lapsesS, bytes: bytes.length, clock }
  }

  async #lease(
    tenant: Tenant,
    slots: readonly SlotKey[],
    leaseS: number,
  ): Promise<{ rows: (SlotRow | undefined)[]; unleased: number[] }> {
    return await this.ledger.commit({
      slots,
      apply: (draft) => {
        const expiresS = this.nowS() + leaseS
        const unleased = [...slots.keys()].filter((at) => {
          const slot = slots[at] as SlotKey
          const live = liveHeads(draft.slot(slot), this.#calendarS())
          return live.length > 0 && !leaseSlot(draft, { tenant, slot, expiresS })
        })
        return { rows: slots.map((slot) => draft.slot(slot)), unleased }
      },
    })
  }

  /** Reads the heads that a slot has, which `row` shows as of a moment ago. */
  async #readHeads(slot: SlotKey, row: SlotRow | undefined): Promise<Uint8Array[]> {
    let current = row
    for (let round = 0; round < MAX_READ_ROUNDS; round++) {
      const live = liveHeads(current, this.#calendarS())
      const found = await this.records.readMany(slot, live)
      const heads = found.filter((record) => record !== undefined)
      if (heads.length === live.length) return heads.toSorted(compareBytes)
      // Another write has taken their place in the meantime, or they are lost.
      ;[current] = await this.ledger.readSlots([slot])
      const lost = live.filter((head, at) => found[at] === undefined && holds(current, head))
      for (const head of lost) await this.strikeOff(slot, head)
      if (lost.length > 0) [current] = await this.ledger.readSlots([slot])
    }
    throw new Error('a slot changes faster than it can be read')
  }

  #calendarS(): number {
    return Math.floor(this.#options.clock.nowMs() / 1000)
  }
}

function withoutRecord(row: SlotRow | undefined, digest: Uint8Array): SlotRow | undefined {
  return row && { ...row, heads: row.heads.filter((head) => !equalBytes(head.digest, digest)) }
}

function holds(row: SlotRow | undefined, head: HeldRecord): boolean {
  return row?.heads.some((other) => isSameCopy(other, head)) ?? false
}

function isSameCopy(a: HeldRecord, b: HeldRecord): boolean {
  return a.tag === b.tag && equalBytes(a.digest, b.digest)
}
