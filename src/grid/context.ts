import type { Clock } from '../foundation/clock.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { ErasureEngine } from '../erasure/engine.ts'
import type { Caller } from '../protocol/network.ts'
import type { KnownBlocks } from './blocks/known-blocks.ts'
import type { NodeMonitor } from './nodes/monitor.ts'
import type { Ranking } from './placement/rank.ts'
import type { GridView } from './view.ts'

/** What every operation on the grid works with. */
export interface GridContext {
  readonly view: GridView
  readonly ranking: Ranking
  readonly monitor: NodeMonitor
  /** What the monitor calls through: for requests that are meant to stay unanswered for long. */
  readonly caller: Caller
  readonly clock: Clock
  readonly randomness: Randomness
  readonly erasure: ErasureEngine
  /** 32 secret bytes under which equal content gets equal keys. */
  readonly convergence: Uint8Array
  /** Where there is one, blocks that are on the grid already need not be encoded again. */
  readonly knownBlocks?: KnownBlocks | undefined
}

/** How far a long operation has come. */
export interface TransferProgress {
  readonly kind: 'progress'
  readonly phase: 'upload' | 'download' | 'check' | 'repair' | 'renew'
  readonly doneBytes: number
  /** Absent while it is not known: standard input has no size. */
  readonly totalBytes?: number
}

/** What every long operation takes: a way to stop it, and to see how far it is. */
export interface OperationOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: TransferProgress) => void) | undefined
}
