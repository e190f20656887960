import { assert } from '../foundation/error.ts'
import { equalBytes } from '../foundation/bytes.ts'
import type { Clock } from '../foundation/clock.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { toShareBitmap, type ShareBitmap } from '../protocol/bitmap.ts'
import type { BlockId } from '../protocol/block-id.ts'
import { MAX_SHARES } from '../protocol/limits.ts'
import type { PutOutcome } from '../protocol/messages.ts'
import type { Disk } from './disk.ts'
import type { ReportStorageEvent } from './events.ts'
import type { Claim, Tenant } from './claims.ts'
import { confirmed, withoutStandIn } from './handed-over.ts'
import type { Draft } from './ledger-draft.ts'
import { Ledger } from './ledger.ts'
import {
  hasLease,
  shareAt,
  stillHas,
  withLease,
  withoutAccount,
  withoutShare,
  withShare,
} from './leases.ts'
import { LeaseClock } from './lease-clock.ts'
import { Room } from './room.ts'
import type { BlockRow, HeldShare } from './rows.ts'
import { ShareContents, type StoredShare } from './share-contents.ts'

export interface ShareStoreOptions {
  readonly disk: Disk
  readonly clock: Clock
  readonly randomness: Randomness
  readonly capacityBytes: number
  readonly reserveBytes: number
  readonly report: ReportStorageEvent
}

/** A share to keep, already found to be the one its manifest names. */
export interface OfferedShare extends StoredShare {
  readonly id: BlockId
  readonly index: number
}

/**
 * Shares, and who leases them until when. Knows nothing of what makes a share good: it keeps what it is given.
 * What it acknowledged survives a crash. Fails with the disk's errors only.
 */
export class ShareStore {
  readonly ledger: Ledger
  readonly contents: ShareContents
  readonly room: Room
  readonly leaseClock: LeaseClock
  readonly #report: ReportStorageEvent

  private constructor(ledger: Ledger, leaseClock: LeaseClock, options: ShareStoreOptions) {
    this.ledger = ledger
    this.leaseClock = leaseClock
    this.contents = new ShareContents(options.disk, options.randomness)
    this.room = new Room({ ...options, files: options.disk.files })
    this.#report = options.report
  }

  /** @throws UnreadableIndexError */
  static async open(options: ShareStoreOptions): Promise<ShareStore> {
    const { rows } = options.disk
    const leaseClock = await LeaseClock.open(rows, options.clock)
    return new ShareStore(await Ledger.open(rows), leaseClock, options)
  }

  /** The time that leases are counted in. */
  nowS(): number {
    return this.leaseClock.nowS()
  }

  /** Keeps a share and leases it to whom the claim says. */
  async put(claim: Claim, share: OfferedShare): Promise<Outcome> {
    await this.room.refresh()
    const outcome = await this.#keep(claim, share, { replace: false })
    if (outcome !== 'have' || (await this.#isIntact(share))) return outcome
    // Somebody brings a good copy of what has rotted here: the way a repair reaches this node.
    this.#report({ kind: 'share-lost', id: share.id, index: share.index, why: 'rotten' })
    return await this.#keep(claim, share, { replace: true })
  }

  /** Shares held of each block. */
  async have(ids: readonly BlockId[]): Promise<ShareBitmap[]> {
    return (await this.ledger.readMany(ids)).map((row) => bitmapOf(row))
  }

  /** Leases to the tenant, as far as its quota goes, all held shares of the blocks; tells which it has leased now. */
  async lease(tenant: Tenant, ids: readonly BlockId[], leaseS: number): Promise<ShareBitmap[]> {
    return await this.ledger.commit({
      ids,
      apply: (draft) => {
        const expiresS = this.nowS() + leaseS
        return ids.map((id) => leaseBlock(draft, { tenant, id, expiresS }))
      },
    })
  }

  /** Ends the account's own leases on all shares of the blocks. @returns how many there were */
  async drop(account: string, ids: readonly BlockId[]): Promise<number> {
    return await this.ledger.commit({
      ids,
      apply: (draft) => {
        let dropped = 0
        for (const id of ids) {
          const row = draft.row(id)
          if (row === undefined) continue
          const left = withoutStandIn(draft, withoutAccount(row, draft.numberOf(account)), account)
          const count = row.leases.length - left.leases.length
          if (count > 0) draft.setRow(id, left)
          dropped += count
        }
        return dropped
      },
    })
  }

  /**
   * Reads one share: that of `index`, else the lowest that can be read. One whose contents are gone is struck off the
   * books and reported.
   */
  async read(
    id: BlockId,
    index?: number,
  ): Promise<{ row: BlockRow; held: HeldShare; share: StoredShare } | undefined> {
    // Each round strikes a share off, or finds that another change has just replaced it.
    for (let round = 0; round < MAX_SHARES; round++) {
      const row = await this.ledger.read(id)
      const held = index === undefined ? row?.shares[0] : shareAt(row, index)
      if (row === undefined || held === undefined) return undefined
      const share = await this.contents.read(id, held, row.shareBytes)
      if (share !== undefined) return { row, held, share }
      await this.strikeOff(id, held, 'missing')
    }
    return undefined
  }

  /**
   * Takes a share that is lost off the books and reports it, unless it is gone or replaced by now.
   * @returns whether it was still there
   */
  async strikeOff(id: BlockId, held: HeldShare, why: 'missing' | 'rotten'): Promise<boolean> {
    const struck = await this.ledger.commit({
      ids: [id],
      apply: (draft) => {
        const row = draft.row(id)
        if (!stillHas(row, held)) return false
        draft.setRow(id, withoutShare(row, held.index))
        if (held.place === 'row') draft.setContents(id, held.index)
        return true
      },
    })
    if (!struck) return false
    this.#report({ kind: 'share-lost', id, index: held.index, why })
    await this.contents.removeFile(id, held)
    return true
  }

  async #keep(
    claim: Claim,
    share: OfferedShare,
    { replace }: { replace: boolean },
  ): Promise<Outcome> {
    const fresh = this.contents.place(share.index, share)
    if (fresh.place === 'row') {
      const contents = this.contents.toRow(share)
      const kept = await this.#commit(claim, share, { fresh, replace, contents })
      return await this.#settle(share.id, kept)
    }
    const early = replace ? undefined : await this.#withoutWriting(claim, share)
    if (typeof early === 'string') return early
    using room = early
    return await this.contents.writeFile(share.id, fresh, share, async () => {
      const hasRoom = room !== undefined
      const kept = await this.#commit(claim, share, { fresh, replace, hasRoom })
      const result = await this.#settle(share.id, kept)
      return { kept: result === 'stored', result }
    })
  }

  /** The outcome of putting a large share, where it does not take writing its file to know it; else room for the file. */
  async #withoutWriting(claim: Claim, share: OfferedShare): Promise<Outcome | Disposable> {
    const row = await this.ledger.read(share.id)
    if (shareAt(row, share.index) !== undefined) {
      const { outcome } = await this.#commit(claim, share, { replace: false })
      if (outcome !== undefined) return outcome
    }
    const bytes = sizeOf(share)
    if (!claim.affords(this.ledger, bytes)) return 'quota'
    return this.room.claim(this.ledger.totals.usedBytes, bytes) ?? 'full'
  }

  #commit(claim: Claim, share: OfferedShare, kept: KeptShare): Promise<Kept> {
    return this.ledger.commit({
      ids: [share.id],
      contentBytes: kept.contents?.length ?? 0,
      apply: (draft) => keepShare(draft, { claim, share, room: this.room, ...kept }),
    })
  }

  async #settle(id: BlockId, { outcome, replaced }: Kept): Promise<Outcome> {
    assert(outcome !== undefined, 'a share with a place is kept or refused')
    if (replaced !== undefined) await this.contents.removeFile(id, replaced)
    return outcome
  }

  async #isIntact({ id, index, manifest, shard }: OfferedShare): Promise<boolean> {
    const row = await this.ledger.read(id)
    const held = shareAt(row, index)
    if (row === undefined || held === undefined) return false
    const stored = await this.contents.read(id, held, row.shareBytes)
    if (stored === undefined) return false
    return equalBytes(stored.manifest, manifest) && equalBytes(stored.shard, shard)
  }
}

/** What may become of a share that is good. */
type Outcome = Exclude<PutOutcome, 'bad'>

interface KeptShare {
  /** Where the share is about to lie; without it, only one that is held already is leased. */
  readonly fresh?: HeldShare
  readonly replace: boolean
  readonly contents?: Uint8Array
  /** Whether room for it was claimed before it was written. */
  readonly hasRoom?: boolean
}

interface Kept {
  /** Undefined if it takes a place to keep the share, and there was none. */
  readonly outcome: Outcome | undefined
  readonly replaced?: HeldShare
}

function keepShare(
  draft: Draft,
  {
    claim,
    share,
    room,
    fresh,
    replace,
    contents,
    hasRoom = false,
  }: KeptShare & {
    readonly claim: Claim
    readonly share: OfferedShare
    readonly room: Room
  },
): Kept {
  const { id, index } = share
  const row = draft.row(id)
  const held = shareAt(row, index)
  const bytes = sizeOf(share)
  const leased = row !== undefined && claim.holds(draft, row, index)
  if (!leased && !claim.affords(draft, bytes)) return { outcome: 'quota' }
  if (row !== undefined && held !== undefined && !replace) {
    draft.setRow(id, claim.lease(draft, row, index))
    return { outcome: 'have' }
  }
  if (fresh === undefined) return { outcome: undefined }
  const needsRoom = held === undefined && !hasRoom
  if (needsRoom && !room.fits(draft.usedBytes, bytes)) return { outcome: 'full' }
  room.spend(bytes)
  draft.setRow(id, claim.lease(draft, withShare(row, fresh, bytes), index))
  if (contents !== undefined) draft.setContents(id, index, contents)
  return { outcome: 'stored', ...(held === undefined ? {} : { replaced: held }) }
}

function leaseBlock(
  draft: Draft,
  { tenant, id, expiresS }: { tenant: Tenant; id: BlockId; expiresS: number },
): ShareBitmap {
  const row = draft.row(id)
  if (row === undefined) return toShareBitmap([])
  const account = draft.numberOf(tenant.account)
  const affordableBytes = tenant.quotaBytes - draft.usedBytesOf(tenant.account)
  let newLeases = 0
  let leased = row
  const indices: number[] = []
  for (const { index } of row.shares) {
    if (!hasLease(row, account, index)) {
      if ((newLeases + 1) * row.shareBytes > affordableBytes) continue
      newLeases++
    }
    leased = withLease(leased, { account, index, expiresS })
    leased = confirmed(draft, leased, { account: tenant.account, index })
    indices.push(index)
  }
  if (leased !== row) draft.setRow(id, leased)
  return toShareBitmap(indices)
}

function sizeOf({ manifest, shard }: StoredShare): number {
  return manifest.length + shard.length
}

export function bitmapOf(row: BlockRow | undefined): ShareBitmap {
  return toShareBitmap((row?.shares ?? []).map(({ index }) => index))
}
