import { mapConcurrently } from '../../foundation/concurrency.ts'
import { accountName } from '../../protocol/account-name.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { MAX_SLOTS } from '../../protocol/limits.ts'
import { openManifest } from '../../protocol/manifest.ts'
import type { HandedLease, TransferOutcome } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { handedLeases } from '../handed-leases.ts'
import type { ScannedRow } from '../ledger.ts'
import { shareAt } from '../leases.ts'
import type { BlockRow, HeldShare } from '../rows.ts'
import type { ShareStore } from '../share-store.ts'
import type { SlotRow } from '../slots/slot-rows.ts'
import { slotBytes } from '../slots/slot-rows.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { isIntact } from '../upkeep.ts'
import { Destinations, type DestinationsOptions, type Holders } from './destinations.ts'
import { giveUpShare, giveUpSlot } from './give-up.ts'
import {
  DrainTally,
  type DrainProgress,
  type DrainReport,
  type Item,
  type LeftReason,
} from './report.ts'

/** Shares on their way at once: a few MiB of memory, and enough for a line of some delay. */
const MOVE_CONCURRENCY = 8
/** How often a share is handed over again because somebody renewed a lease on it meanwhile. */
const MAX_ROUNDS = 3

export interface DrainOptions extends DestinationsOptions {
  readonly store: ShareStore
  readonly slots: SlotStore
  /** Whether an account belongs to the grid, by its name. Nodes take over nobody else's leases. */
  readonly isMember: (account: string) => boolean
  readonly onProgress: (progress: DrainProgress) => void
}

/**
 * Gives all that a node keeps to other nodes: each share, with the leases that are on it, to the next node in its order
 * that has none of its block, and each slot to the next that lacks it. Whatever another node has acknowledged is deleted
 * here, so what is left is what is still to do: it may be interrupted at any moment and be started again. Goes through
 * everything once. What only former members lease stays and holds nobody up: no node takes it, and it ends with its leases.
 */
export async function drain(options: DrainOptions): Promise<DrainReport> {
  return await new Drain(options).run()
}

/** Of what several nodes answered, what is the sooner over. */
const HOPEFUL_FIRST: readonly LeftReason[] = ['later', 'full', 'quota']

/** What a node says to what it is offered. */
type Answer =
  { readonly outcome: TransferOutcome; readonly refused: readonly number[] } | 'away' | 'refused'

class Drain {
  readonly #options: DrainOptions
  readonly #destinations: Destinations
  readonly #tally: DrainTally

  constructor(options: DrainOptions) {
    this.#options = options
    this.#destinations = new Destinations(options)
    this.#tally = new DrainTally(options.store.ledger.totals.usedBytes)
  }

  async run(): Promise<DrainReport> {
    const { store, signal } = this.#options
    for await (const slots of store.ledger.scanSlots()) {
      for (let at = 0; at < slots.length; at += MAX_SLOTS) {
        signal.throwIfAborted()
        await this.#moveSlots(slots.slice(at, at + MAX_SLOTS))
      }
    }
    for await (const blocks of store.ledger.scan()) {
      signal.throwIfAborted()
      await this.#moveBlocks(blocks)
    }
    return this.#tally.report()
  }

  async #moveBlocks(blocks: readonly ScannedRow<BlockId, BlockRow>[]): Promise<void> {
    const holders = await this.#destinations.holdersOf(blocks.map(({ id }) => id))
    // Shares of one block one after another, lest two of them choose the same node.
    await mapConcurrently(blocks, MOVE_CONCURRENCY, async ({ id, row }) => {
      for (const held of row.shares) {
        this.#options.signal.throwIfAborted()
        await this.#moveShare(id, held, holders)
        this.#options.onProgress(this.#tally.progress)
      }
    })
  }

  async #moveShare(id: BlockId, held: HeldShare, holders: Holders): Promise<void> {
    const { store } = this.#options
    for (let round = 0; ; round++) {
      const row = await store.ledger.read(id)
      if (row === undefined || shareAt(row, held.index)?.tag !== held.tag) return
      const item = { kind: 'share', count: 1, bytes: row.shareBytes } as const
      const leases = this.#leasesToHand(
        row.leases.filter(({ index }) => index === held.index),
        item,
      )
      if (leases === undefined) return
      const given = await this.#giveShare(id, held, { row, leases, holders })
      if (given === 'lost') {
        this.#tally.lost()
        return
      }
      if (typeof given === 'string') {
        this.#tally.left(item, given, namesOf(leases))
        return
      }
      // Somebody who renewed meanwhile would lose the new lease: then it is handed over once more.
      const isGone = await giveUpShare(store, id, { held, handed: row.leases })
      if (isGone || round === MAX_ROUNDS) {
        if (isGone) this.#tally.moved(item, given)
        else this.#tally.left(item, 'later')
        return
      }
    }
  }

  /** The leases to go with something; undefined where no member has one, which is counted. */
  #leasesToHand(
    leases: readonly { readonly account: number; readonly expiresS: number }[],
    item: Item,
  ): HandedLease[] | undefined {
    const handed = handedLeases(this.#options.store, leases)
    const ofMembers = handed.filter(({ account }) => this.#options.isMember(accountName(account)))
    if (ofMembers.length > 0) return ofMembers
    if (handed.length === 0) this.#tally.unleased(item)
    else this.#tally.formerMembers(item)
    return undefined
  }

  async #giveShare(
    id: BlockId,
    held: HeldShare,
    {
      row,
      leases,
      holders,
    }: {
      readonly row: BlockRow
      readonly leases: readonly HandedLease[]
      readonly holders: Holders
    },
  ): Promise<{ node: NodeKey; leasesLost: number } | LeftReason | 'lost'> {
    const { store } = this.#options
    const { index } = held
    const share = await store.contents.read(id, held, row.shareBytes)
    if (share === undefined || !isIntact(id, held, share)) {
      await store.strikeOff(id, held, share === undefined ? 'missing' : 'rotten')
      return 'lost'
    }
    const { total } = openManifest(id, share.manifest).code
    return await this.#offer({ id, index, total }, holders, async (node) => {
      return await this.#destinations.ask<'transfer'>(node, {
        op: 'transfer',
        ...share,
        index,
        leases,
      })
    })
  }

  /** Offers something to one node after another until one takes it. */
  async #offer(
    wanted: { readonly id: BlockId | SlotKey; readonly index: number; readonly total: number },
    holders: Holders,
    give: (node: NodeKey) => Promise<Answer>,
  ): Promise<{ node: NodeKey; leasesLost: number } | LeftReason> {
    const isAlone = this.#options.order(wanted.id, wanted.total).length === 0
    const said = new Set<LeftReason>()
    for (const { key: node, isCrowded } of this.#destinations.choicesFor(wanted, holders)) {
      const reply = await give(node)
      if (typeof reply === 'string') continue
      const { outcome, refused } = reply
      if (outcome === 'stored' || outcome === 'have') {
        holders.add(wanted.id, { node, index: wanted.index })
        if (isCrowded) this.#tally.crowded()
        return { node, leasesLost: refused.length }
      }
      // What was checked here and is bad there was changed on its way, or that node is not sound.
      said.add(outcome === 'bad' || outcome === 'expired' ? 'unreachable' : outcome)
    }
    if (isAlone) return 'alone'
    return HOPEFUL_FIRST.find((reason) => said.has(reason)) ?? 'unreachable'
  }

  async #moveSlots(slots: readonly ScannedRow<SlotKey, SlotRow | undefined>[]): Promise<void> {
    const holders = await this.#destinations.slotHoldersOf(slots.map(({ id }) => id))
    await mapConcurrently(slots, MOVE_CONCURRENCY, async ({ id }) => {
      await this.#moveSlot(id, holders)
      this.#options.onProgress(this.#tally.progress)
    })
  }

  async #moveSlot(slot: SlotKey, holders: Holders): Promise<void> {
    const { slots } = this.#options
    for (let round = 0; ; round++) {
      const [row] = await slots.ledger.readSlots([slot])
      if (row === undefined) return
      const item = { kind: 'slot', count: row.heads.length, bytes: slotBytes(row) } as const
      const leases = this.#leasesToHand(row.leases, item)
      if (leases === undefined) return
      const records = await slots.headsOf(slot)
      if (records.length === 0) {
        this.#tally.unleased(item)
        return
      }
      const given = await this.#giveSlot(slot, { records, leases, holders })
      if (typeof given === 'string') {
        this.#tally.left(item, given, namesOf(leases))
        return
      }
      const isGone = await giveUpSlot(slots, slot, row)
      if (isGone || round === MAX_ROUNDS) {
        if (isGone) this.#tally.moved(item, given)
        else this.#tally.left(item, 'later')
        return
      }
    }
  }

  async #giveSlot(
    slot: SlotKey,
    {
      records,
      leases,
      holders,
    }: {
      readonly records: readonly Uint8Array[]
      readonly leases: readonly HandedLease[]
      readonly holders: Holders
    },
  ): Promise<{ node: NodeKey; leasesLost: number } | LeftReason> {
    // How many copies of a slot there should be is its clients' business: the next that has none is the one more that
    // they count when this node is gone.
    const total = holders.of(slot).size + 1
    return await this.#offer({ id: slot, index: 0, total }, holders, async (node) => {
      let last: Answer = 'refused'
      for (const record of records) {
        last = await this.#destinations.ask<'slot-transfer'>(node, {
          op: 'slot-transfer',
          record,
          leases,
        })
        if (typeof last === 'string') return last
        if (last.outcome !== 'stored' && last.outcome !== 'have') return last
      }
      return last
    })
  }
}

function namesOf(leases: readonly HandedLease[]): string[] {
  return leases.map(({ account }) => accountName(account))
}
