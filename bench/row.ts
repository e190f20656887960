import type { GridRun } from './practice-grid.ts'
import type { Cost } from './primitives.ts'
import { medianBy } from './statistics.ts'

/** One operation as measured: the run of median wall time, and how far the others were from it. */
export interface Row {
  readonly name: string
  readonly runs: number
  readonly wallS: number
  readonly wallSpreadS: readonly [least: number, most: number]
  readonly rate?: { readonly value: number; readonly unit: 'MB/s' | 'files/s' }
  readonly clientCpuS: number
  /** All nodes together. Undefined where the system does not tell, as are all figures of nodes. */
  readonly nodesCpuS: number | undefined
  readonly clientPeakBytes: number | undefined
  readonly largestNodePeakBytes: number | undefined
  /** What the primitives alone take in this run, one after another. */
  readonly primitives?: Cost
  /** Wall time beyond that of the same operation with no node frozen. */
  readonly extraS?: number
  readonly targets: readonly Verdict[]
}

export interface Verdict {
  readonly target: string
  readonly value: number
  readonly isMet: boolean
}

/** A run; one inside this process has no memory of its own to tell. */
export type MeasuredRun = Pick<GridRun, 'wallS' | 'cpuS' | 'nodesCpuS' | 'largestNodeBytes'> & {
  readonly peakBytes: number | undefined
}

export interface RowDescription {
  readonly name: string
  /** What is processed in `wallS`. */
  readonly bytes?: number
  readonly files?: number
  readonly primitives?: Cost
  /** Median wall time of the operation with which this one is compared. */
  readonly undisturbedS?: number
}

export function rowOf(
  runs: readonly MeasuredRun[],
  { name, bytes, files, primitives, undisturbedS }: RowDescription,
): Omit<Row, 'targets'> {
  const run = medianBy(runs, ({ wallS }) => wallS)
  const walls = runs.map(({ wallS }) => wallS)
  const rate = rateOf(run.wallS, { bytes, files })
  return {
    name,
    runs: runs.length,
    wallS: run.wallS,
    wallSpreadS: [Math.min(...walls), Math.max(...walls)],
    clientCpuS: run.cpuS,
    nodesCpuS: run.nodesCpuS,
    clientPeakBytes: run.peakBytes,
    largestNodePeakBytes: run.largestNodeBytes,
    ...(rate !== undefined && { rate }),
    ...(primitives !== undefined && { primitives }),
    ...(undisturbedS !== undefined && { extraS: run.wallS - undisturbedS }),
  }
}

function rateOf(
  wallS: number,
  { bytes, files }: { bytes: number | undefined; files: number | undefined },
): Row['rate'] {
  if (files !== undefined) return { value: files / wallS, unit: 'files/s' }
  if (bytes !== undefined) return { value: bytes / 1e6 / wallS, unit: 'MB/s' }
  return undefined
}

export function totalCpuS(row: Pick<Row, 'clientCpuS' | 'nodesCpuS'>): number | undefined {
  return row.nodesCpuS === undefined ? undefined : row.clientCpuS + row.nodesCpuS
}
