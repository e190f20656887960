import type { TransferOutcome } from '../../protocol/messages.ts'
import type { ParcelDirectory } from './directory.ts'
import { decodeParcel, MalformedParcelError, type Parcel } from './parcel.ts'

export interface ImportOptions {
  readonly from: ParcelDirectory
  /** Keeps what a parcel holds if it is whole, for those whose leases came along. */
  readonly take: (parcel: Parcel) => Promise<{ outcome: TransferOutcome; refused: number }>
  readonly onProgress: (progress: { readonly files: number }) => void
  readonly signal: AbortSignal
}

export interface ImportReport {
  readonly shares: number
  readonly records: number
  readonly bytes: number
  /** Files of what was kept here before. */
  readonly there: number
  /** Files that were skipped, and why; at most 1,000 are named. */
  readonly skipped: readonly { readonly file: string; readonly why: SkipReason }[]
  readonly skippedFiles: number
  /** Leases that did not come along: their accounts are no members, or beyond their quotas. */
  readonly leasesLost: number
}

/** `damaged`: no parcel, or other bytes than were written. The others as for a TRANSFER. */
export type SkipReason = 'damaged' | 'quota' | 'full' | 'expired'

const MAX_NAMED = 1000

/** Takes over what another node has exported. Each file is checked whole; one that cannot be taken does not hold up others. */
export async function importParcels({
  from,
  take,
  onProgress,
  signal,
}: ImportOptions): Promise<ImportReport> {
  const sums = { shares: 0, records: 0, bytes: 0, there: 0, leasesLost: 0 }
  const skipped: { file: string; why: SkipReason }[] = []
  let skippedFiles = 0
  let files = 0
  for await (const file of from.names()) {
    signal.throwIfAborted()
    const why = await importOne(file, { from, take, sums })
    if (why !== undefined) {
      skippedFiles++
      if (skipped.length < MAX_NAMED) skipped.push({ file, why })
    }
    files++
    onProgress({ files })
  }
  return { ...sums, skipped, skippedFiles }
}

async function importOne(
  file: string,
  {
    from,
    take,
    sums,
  }: Pick<ImportOptions, 'from' | 'take'> & {
    readonly sums: {
      shares: number
      records: number
      bytes: number
      there: number
      leasesLost: number
    }
  },
): Promise<SkipReason | undefined> {
  const bytes = await from.read(file)
  const parcel = bytes === undefined ? undefined : parcelIn(bytes)
  if (parcel === undefined) return 'damaged'
  const { outcome, refused } = await take(parcel)
  switch (outcome) {
    case 'stored':
      if (parcel.op === 'transfer') {
        sums.shares++
        sums.bytes += parcel.manifest.length + parcel.shard.length
      } else {
        sums.records++
        sums.bytes += parcel.record.length
      }
      sums.leasesLost += refused
      return undefined
    case 'have':
      sums.there++
      sums.leasesLost += refused
      return undefined
    case 'bad':
      return 'damaged'
    case 'later':
      return 'full'
    case 'quota':
    case 'full':
    case 'expired':
      return outcome
  }
}

function parcelIn(bytes: Uint8Array): Parcel | undefined {
  try {
    return decodeParcel(bytes)
  } catch (error) {
    if (error instanceof MalformedParcelError) return undefined
    throw error
  }
}
