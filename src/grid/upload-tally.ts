import type { FileReadCapability, LiteralCapability } from '../capabilities/capability.ts'
import type { ErasureCode } from '../erasure/code.ts'
import { blockIdHex, type BlockId, type BlockIdHex } from '../protocol/block-id.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { CONTENT_HEADER_BYTES, type EncodedFrame } from './blocks/frame.ts'
import type { GridContext, OperationOptions } from './context.ts'
import { TooFewNodesError } from './errors.ts'
import { happinessThreshold } from './placement/defaults.ts'
import type { Placement } from './placement/place.ts'

/** What became of a file that was put. */
export interface PutResult {
  readonly capability: FileReadCapability | LiteralCapability
  readonly sizeBytes: number
  readonly code: ErasureCode
  /** Degraded: stored, yet some share has no node. A repair mends it once there are more nodes. */
  readonly health: 'healthy' | 'degraded'
  readonly blocks: number
  /** Bytes of shares that had to be sent; 0 for what the grid had already. */
  readonly sentBytes: number
  /** Where the shares of the first blocks are. */
  readonly placements: readonly BlockPlacement[]
}

/** The nodes that took the shares of one block. */
export interface BlockPlacement {
  readonly id: BlockIdHex
  readonly shares: readonly { readonly index: number; readonly node: NodeKey }[]
}

/** Adds up what becomes of the blocks of an upload. */
export class UploadTally {
  blocks = 0
  readonly #context: Pick<GridContext, 'view'>
  readonly #code: ErasureCode
  readonly #options: Pick<OperationOptions, 'onProgress'>
  #sentBytes = 0
  #doneBytes = 0
  #health: PutResult['health'] = 'healthy'
  readonly #placements: BlockPlacement[] = []

  constructor(
    context: Pick<GridContext, 'view'>,
    code: ErasureCode,
    options: Pick<OperationOptions, 'onProgress'>,
  ) {
    this.#context = context
    this.#code = code
    this.#options = options
  }

  /** @throws TooFewNodesError */
  record(
    id: BlockId,
    { holders, sentBytes, full, overQuota }: Omit<Placement, 'isQuiet'>,
    fileBytes: number,
  ): void {
    this.#sentBytes += sentBytes
    if (holders.size < this.#code.total) this.#health = 'degraded'
    const needed = happinessThreshold(this.#code)
    if (holders.size < needed) {
      const { length: total } = this.#context.view.nodes
      throw new TooFewNodesError({ needed, answered: holders.size, total, full, overQuota })
    }
    if (this.#placements.length < MAX_PLACEMENTS) {
      const held = [...holders].sort(([a], [b]) => a - b)
      this.#placements.push({
        id: blockIdHex(id),
        shares: held.map(([index, node]) => ({ index, node })),
      })
    }
    this.#doneBytes += fileBytes
    this.#options.onProgress?.({ kind: 'progress', phase: 'upload', doneBytes: this.#doneBytes })
  }

  literal(frame: EncodedFrame, sizeBytes: number): PutResult {
    const bytes = frame.content.slice(CONTENT_HEADER_BYTES, CONTENT_HEADER_BYTES + sizeBytes)
    return { ...this.result(sizeBytes), capability: { kind: 'literal', bytes } }
  }

  result(sizeBytes: number): Omit<PutResult, 'capability'> {
    return {
      sizeBytes,
      code: this.#code,
      health: this.#health,
      blocks: this.blocks,
      sentBytes: this.#sentBytes,
      placements: this.#placements,
    }
  }
}

/** Blocks whose placement is reported. */
const MAX_PLACEMENTS = 64
