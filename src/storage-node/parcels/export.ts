import type { BlockId } from '../../protocol/block-id.ts'
import { openManifest } from '../../protocol/manifest.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { recordDigest } from '../../protocol/slot-record.ts'
import { handedLeases } from '../handed-leases.ts'
import type { ScannedRow } from '../ledger.ts'
import type { BlockRow, HeldShare } from '../rows.ts'
import type { ShareStore } from '../share-store.ts'
import type { SlotRow } from '../slots/slot-rows.ts'
import type { SlotStore } from '../slots/slot-store.ts'
import { isIntact } from '../upkeep.ts'
import type { ParcelDirectory } from './directory.ts'
import { encodeParcel, recordParcelName, shareParcelName } from './parcel.ts'

/** Copies of a slot that its clients look at; one more or less does no harm. */
const SLOT_COPIES = 10

export interface ExportOptions {
  readonly store: ShareStore
  readonly slots: SlotStore
  readonly to: ParcelDirectory
  /** Whether something is wanted, of which n shares or copies are kept; all by default. */
  readonly isWanted?: (id: BlockId | SlotKey, total: number) => boolean
  readonly onProgress: (progress: {
    readonly doneBytes: number
    readonly totalBytes: number
  }) => void
  readonly signal: AbortSignal
}

export interface ExportReport {
  readonly shares: number
  readonly records: number
  readonly bytes: number
  /** Files that were there from an earlier run. */
  readonly there: number
  /** Found gone or rotten on the way, and struck off. */
  readonly lost: number
}

/**
 * Copies what a node keeps to a directory, a file for each share and record with the leases that are on it. What is there
 * already is not written again, so it may be interrupted and go on.
 */
export async function exportParcels(options: ExportOptions): Promise<ExportReport> {
  const { store, signal } = options
  const sums = { shares: 0, records: 0, bytes: 0, there: 0, lost: 0 }
  const done = { doneBytes: 0, totalBytes: store.ledger.totals.usedBytes }
  const passed = (bytes: number): void => {
    done.doneBytes += bytes
    options.onProgress({ ...done })
  }
  for await (const slots of store.ledger.scanSlots()) {
    for (const { id, row } of slots) {
      signal.throwIfAborted()
      if (row !== undefined) passed(await exportSlot(options, { id, row }, sums))
    }
  }
  for await (const blocks of store.ledger.scan()) {
    for (const { id, row } of blocks) {
      for (const held of row.shares) {
        signal.throwIfAborted()
        await exportShare(options, { id, row }, { held, sums })
        passed(row.shareBytes)
      }
    }
  }
  return sums
}

type Sums = { -readonly [Name in keyof ExportReport]: ExportReport[Name] }

async function exportShare(
  { store, to, isWanted = () => true }: ExportOptions,
  { id, row }: ScannedRow<BlockId, BlockRow>,
  { held, sums }: { readonly held: HeldShare; readonly sums: Sums },
): Promise<void> {
  const { index } = held
  const name = shareParcelName(id, index)
  const leases = handedLeases(
    store,
    row.leases.filter((lease) => lease.index === index),
  )
  // What nobody wants any more is freed here within the hour, and nobody would keep it elsewhere.
  if (leases.length === 0) return
  const share = await store.contents.read(id, held, row.shareBytes)
  if (share === undefined || !isIntact(id, held, share)) {
    const isLost = await store.strikeOff(id, held, share === undefined ? 'missing' : 'rotten')
    if (isLost) sums.lost++
    return
  }
  if (!isWanted(id, openManifest(id, share.manifest).code.total)) return
  if (await to.has(name)) {
    sums.there++
    return
  }
  await to.write(name, encodeParcel({ op: 'transfer', ...share, index, leases }))
  sums.shares++
  sums.bytes += row.shareBytes
}

/** @returns the size of the slot */
async function exportSlot(
  { store, slots, to, isWanted = () => true }: ExportOptions,
  { id, row }: ScannedRow<SlotKey, SlotRow>,
  sums: Sums,
): Promise<number> {
  const leases = handedLeases(store, row.leases)
  if (leases.length === 0 || !isWanted(id, SLOT_COPIES)) return 0
  let bytes = 0
  for (const record of await slots.headsOf(id)) {
    const name = recordParcelName(id, recordDigest(record))
    bytes += record.length
    if (await to.has(name)) {
      sums.there++
      continue
    }
    await to.write(name, encodeParcel({ op: 'slot-transfer', record, leases }))
    sums.records++
    sums.bytes += record.length
  }
  return bytes
}
