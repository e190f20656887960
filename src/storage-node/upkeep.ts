import type { Clock } from '../foundation/clock.ts'
import { sleep } from '../foundation/clock.ts'
import type { BlockId } from '../protocol/block-id.ts'
import { isShard, MalformedManifestError, openManifest } from '../protocol/manifest.ts'
import { SHARE_FOLDERS, type ShareFiles } from './disk.ts'
import type { ReportStorageEvent } from './events.ts'
import type { ScannedRow, ScanRange } from './ledger.ts'
import { isDue, withoutExpired } from './leases.ts'
import { ID_PREFIXES, shareFileName, type BlockRow, type HeldShare } from './rows.ts'
import type { StoredShare } from './share-contents.ts'
import type { ShareStore } from './share-store.ts'
import type { SlotStore } from './slots/slot-store.ts'
import { collectSlots, scrubSlots } from './slots/slot-upkeep.ts'

/** What upkeep works with. All of it may run while the node serves; each is to run once at a time. */
export interface Upkeep {
  readonly store: ShareStore
  readonly slots: SlotStore
  readonly files: ShareFiles
  readonly clock: Clock
  readonly report: ReportStorageEvent
  readonly signal: AbortSignal
}

export interface CollectResult {
  readonly shares: number
  /** Of slots. */
  readonly records: number
  readonly bytes: number
}

/** Deletes the shares and slots that nobody leases any more, expired leases counting until their grace is over. */
export async function collectGarbage(upkeep: Upkeep): Promise<CollectResult> {
  const { store, slots, report, signal } = upkeep
  let shares = 0
  let bytes = 0
  for await (const blocks of store.ledger.scan()) {
    signal.throwIfAborted()
    const due = blocks.filter(({ row }) => isDue(row, store.nowS()))
    if (due.length === 0) continue
    for (const { id, held, shareBytes } of await collectSome(store, due)) {
      shares++
      bytes += shareBytes
      await store.contents.removeFile(id, held)
    }
  }
  const ofSlots = await collectSlots(slots, signal)
  const result = { shares, records: ofSlots.records, bytes: bytes + ofSlots.bytes }
  if (result.shares + result.records > 0) report({ kind: 'collected', ...result })
  return result
}

function collectSome(
  store: ShareStore,
  due: readonly ScannedRow<BlockId, BlockRow>[],
): Promise<{ id: BlockId; held: HeldShare; shareBytes: number }[]> {
  const ids = due.map(({ id }) => id)
  return store.ledger.commit({
    ids,
    apply: (draft) =>
      ids.flatMap((id) => {
        const before = draft.row(id)
        // Things may have changed since it was seen: what counts is the row as it is now.
        if (before === undefined || !isDue(before, store.nowS())) return []
        const { row, freed } = withoutExpired(before, store.nowS())
        draft.setRow(id, row)
        for (const { index, place } of freed) if (place === 'row') draft.setContents(id, index)
        return freed.map((held) => ({ id, held, shareBytes: before.shareBytes }))
      }),
  })
}

/** Which blocks and slots, by the 16 bits that their ids start with; all by default. */
export interface ScrubOptions extends ScanRange {
  /** Reads no faster than this, to leave the disk to those who wait for it. */
  readonly bytesPerS?: number
  /** Whether with the last of them all have been checked, in parts; by itself only if they are all. */
  readonly endsRound?: boolean
}

export interface ScrubResult {
  readonly shares: number
  /** Of slots. */
  readonly records: number
  /** Of either. */
  readonly lost: number
}

/** Reads everything and checks it against its id; strikes off and reports what is gone or has rotted. */
export async function scrub(
  { store, slots, clock, signal }: Upkeep,
  { first = 0, end = ID_PREFIXES, bytesPerS = Number.POSITIVE_INFINITY }: ScrubOptions = {},
): Promise<ScrubResult> {
  let shares = 0
  let lost = 0
  for await (const blocks of store.ledger.scan({ first, end })) {
    for (const { id, row } of blocks) {
      for (const held of row.shares) {
        signal.throwIfAborted()
        shares++
        const share = await store.contents.read(id, held, row.shareBytes)
        if (share === undefined || !isIntact(id, held, share)) {
          // One that was replaced or collected meanwhile is not lost: this looks again.
          lost += (await store.strikeOff(id, held, share === undefined ? 'missing' : 'rotten'))
            ? 1
            : 0
        }
        const pauseMs = (row.shareBytes / bytesPerS) * 1000
        if (pauseMs > 0) await sleep(clock, pauseMs, signal)
      }
    }
  }
  const range = { first, end }
  const ofSlots = await scrubSlots(slots, { range, bytesPerS, clock, signal })
  return { shares, records: ofSlots.records, lost: lost + ofSlots.lost }
}

/** Whether what is kept as a share is still what its id names. */
export function isIntact(
  id: BlockId,
  { index }: Pick<HeldShare, 'index'>,
  { manifest, shard }: StoredShare,
): boolean {
  try {
    return isShard(openManifest(id, manifest), index, shard)
  } catch (error) {
    if (error instanceof MalformedManifestError) return false
    throw error
  }
}

export interface SweepResult {
  readonly strays: number
  readonly missing: number
}

/**
 * Compares files with the index, folder by folder: removes files that no share on the books has (left by a crash before
 * their share was acknowledged), and strikes off shares whose file is missing.
 */
export async function sweepFiles(upkeep: Upkeep): Promise<SweepResult> {
  let strays = 0
  let missing = 0
  for (let folder = 0; folder < SHARE_FOLDERS; folder++) {
    upkeep.signal.throwIfAborted()
    const swept = await sweepFolder(upkeep, folder)
    strays += swept.strays
    missing += swept.missing
  }
  if (strays > 0) upkeep.report({ kind: 'strays-removed', files: strays })
  return { strays, missing }
}

async function sweepFolder({ store, files }: Upkeep, folder: number): Promise<SweepResult> {
  const unclaimed = new Set(await files.list(folder))
  // In this order: a file that is not pending any more by now is in the index that is read next.
  for (const name of store.contents.pendingFiles()) unclaimed.delete(name)
  let missing = 0
  const listed = new Set(unclaimed)
  for await (const blocks of store.ledger.scan({ first: folder << 8, end: (folder + 1) << 8 })) {
    for (const { id, row } of blocks) {
      for (const held of row.shares) {
        if (held.place !== 'file') continue
        const name = shareFileName(id, held)
        unclaimed.delete(name)
        if (listed.has(name) || (await files.read(name, { offset: 0, length: 1 }))) continue
        if (await store.strikeOff(id, held, 'missing')) missing++
      }
    }
  }
  for (const name of unclaimed) await files.remove(name)
  return { strays: unclaimed.size, missing }
}
