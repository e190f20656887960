import type { Clock } from '../foundation/clock.ts'
import { accountName } from '../protocol/account-name.ts'
import { blockIdOf } from '../protocol/manifest.ts'
import type {
  HandedLease,
  SlotTransferRequest,
  TransferOutcome,
  TransferReply,
  TransferRequest,
} from '../protocol/messages.ts'
import type { Tenant } from './claims.ts'
import { accountBehind, HandedClaim } from './handed-over.ts'
import type { ShareStore } from './share-store.ts'
import type { SlotService } from './slots/slot-service.ts'

const DAY_MS = 24 * 3600_000
/** What one account's nodes may hand over in a day: a part of what this node offers, but enough for a small one to go. */
const DAILY_PART = 1 / 4
const LEAST_DAILY_BYTES = 1024 ** 3
/** What of this node may be filled with what accounts did not ask for themselves. */
const HANDED_PART = 1 / 2

/**
 * Takes over shares and slots from nodes that go. A node says in others' names that they want something kept, which nobody
 * can check, so what it can do by a lie is bounded: leases are for members only and within their quotas, they never stand in
 * the way of what those members store themselves, and one account hands over so much a day and all together so much at all.
 */
export class Transfers {
  readonly #store: ShareStore
  readonly #slots: SlotService
  readonly #clock: Clock
  readonly #tenantNamed: (account: string) => Tenant | undefined
  /** What each account has left to hand over, as of when it did last. */
  readonly #allowances = new Map<string, { leftBytes: number; atMs: number }>()

  constructor(options: {
    readonly store: ShareStore
    readonly slots: SlotService
    readonly clock: Clock
    readonly tenantNamed: (account: string) => Tenant | undefined
  }) {
    this.#store = options.store
    this.#slots = options.slots
    this.#clock = options.clock
    this.#tenantNamed = options.tenantNamed
  }

  /** @param put keeps a share if it is the one that its manifest names */
  async share(
    { account }: Tenant,
    { manifest, index, leases, shard }: TransferRequest,
    put: (claim: HandedClaim) => Promise<TransferOutcome>,
  ): Promise<TransferReply<'transfer'>> {
    const bytes = manifest.length + shard.length
    const held = await this.#holds(manifest, index)
    const limit = held ? undefined : this.#limitOf(account, bytes)
    if (limit !== undefined) return { op: 'transfer', outcome: limit, refused: [] }
    const claim = this.#claimOf(leases)
    const outcome = await put(claim)
    if (outcome === 'stored') this.#spend(account, bytes)
    return { op: 'transfer', outcome, refused: [...claim.refused] }
  }

  async record(
    { account }: Tenant,
    { record, leases }: SlotTransferRequest,
  ): Promise<TransferReply<'slot-transfer'>> {
    const limit = this.#limitOf(account, record.length)
    if (limit !== undefined) return { op: 'slot-transfer', outcome: limit, refused: [] }
    const claim = this.#claimOf(leases)
    const { outcome } = await this.#slots.offer(claim, record)
    if (outcome === 'stored') this.#spend(account, record.length)
    return { op: 'slot-transfer', outcome: outcomeOf(outcome), refused: [...claim.refused] }
  }

  /** The same of what this node's own operator brings on a disk, and who may fill it in a day. */
  async parcel(
    parcel: TransferRequest | SlotTransferRequest,
    put: (claim: HandedClaim, share: TransferRequest) => Promise<TransferOutcome>,
  ): Promise<{ outcome: TransferOutcome; refused: number }> {
    const claim = this.#claimOf(parcel.leases)
    const outcome =
      parcel.op === 'transfer'
        ? await put(claim, parcel)
        : outcomeOf((await this.#slots.offer(claim, parcel.record)).outcome)
    return { outcome, refused: claim.refused.size }
  }

  #claimOf(leases: readonly HandedLease[]): HandedClaim {
    const nowS = this.#store.nowS()
    return new HandedClaim(
      leases.map(({ account, leaseS }) => ({
        tenant: this.#tenantNamed(accountName(account)),
        expiresS: nowS + leaseS,
      })),
    )
  }

  async #holds(manifest: Uint8Array, index: number): Promise<boolean> {
    const row = await this.#store.ledger.read(blockIdOf(manifest))
    return row?.shares.some((share) => share.index === index) ?? false
  }

  #limitOf(account: string, bytes: number): 'full' | 'later' | undefined {
    const { ledger, room } = this.#store
    const handedBytes = ledger
      .accounts()
      .filter(({ account: name }) => accountBehind(name).isStandIn)
      .reduce((sum, { usedBytes }) => sum + usedBytes, 0)
    if (handedBytes + bytes > room.capacityBytes * HANDED_PART) return 'full'
    return this.#allowanceOf(account) < bytes ? 'later' : undefined
  }

  #allowanceOf(account: string): number {
    const dailyBytes = Math.max(LEAST_DAILY_BYTES, this.#store.room.capacityBytes * DAILY_PART)
    const known = this.#allowances.get(account)
    if (known === undefined) return dailyBytes
    const earned = ((this.#clock.monotonicMs() - known.atMs) / DAY_MS) * dailyBytes
    return Math.min(dailyBytes, known.leftBytes + earned)
  }

  #spend(account: string, bytes: number): void {
    const leftBytes = this.#allowanceOf(account) - bytes
    this.#allowances.set(account, { leftBytes, atMs: this.#clock.monotonicMs() })
  }
}

function outcomeOf(outcome: Awaited<ReturnType<SlotService['offer']>>['outcome']): TransferOutcome {
  switch (outcome) {
    case 'stored':
    case 'have':
    case 'expired':
    case 'quota':
    case 'full':
    case 'bad':
      return outcome
    // A record that contains it is held, and leased now in its place.
    case 'stale':
      return 'have'
    // Too many heads: this node holds eight others, and somebody has to merge.
    case 'merge-first':
    case 'heads-differ':
      return 'full'
  }
}
