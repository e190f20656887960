import type { FileReadCapability, LiteralCapability } from '../capabilities/capability.ts'
import { mapInOrder } from '../foundation/concurrency.ts'
import { fetchBlock } from './blocks/fetch.ts'
import { KIND_DATA, type BlockFrame } from './blocks/frame.ts'
import { openBlock } from './blocks/seal.ts'
import type { GridContext, OperationOptions } from './context.ts'
import { BrokenFileError, InvalidRangeError, NotEnoughSharesError } from './errors.ts'
import {
  checkChild,
  checkVerifyKey,
  childrenOf,
  fileBytesUnder,
  type BlockReference,
  type LinkedChild,
} from './files/index-node.ts'
import { SameBlocks, type LocalVersion, type PlacedBlock } from './files/local-version.ts'

/** How a file is to be read. */
export interface GetOptions extends OperationOptions {
  /** Which bytes of the file; all by default. An end past the file's is cut, a start past it is an error. */
  readonly range?: ByteRange | undefined
  /** Another version, to be used as far as it is the same. */
  readonly local?: LocalVersion | undefined
}

/** A part of a file, in bytes. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** A file that is being read. */
export interface Download {
  /** Size of the whole file. */
  readonly sizeBytes: number
  /** The bytes asked for, in order, each verified before it is given out. */
  readonly chunks: AsyncIterable<Uint8Array>
}

/**
 * Opens a file for reading. Its root block is fetched at once, the rest while `chunks` is read, a bounded number of
 * blocks ahead.
 * @throws NotEnoughSharesError, BrokenFileError, InvalidRangeError here or from `chunks`
 */
export async function downloadFile(
  context: GridContext,
  capability: FileReadCapability | LiteralCapability,
  options: GetOptions = {},
): Promise<Download> {
  const { range } = options
  if (capability.kind === 'literal') {
    const { bytes } = capability
    const { offset, end } = clipRange(range, bytes.length)
    return { sizeBytes: bytes.length, chunks: chunksOf([bytes.subarray(offset, end)]) }
  }
  const root = await readBlock(context, capability, options.signal)
  const sizeBytes = fileBytesUnder(root)
  const { offset, end } = clipRange(range, sizeBytes)
  const chunks = readFrame(context, root, { offset, end, options })
  return { sizeBytes, chunks: withProgress(chunks, end - offset, options) }
}

/** Fetches and opens one block. */
async function readBlock(
  context: GridContext,
  { key, id }: BlockReference,
  signal: AbortSignal | undefined,
): Promise<BlockFrame> {
  const { ciphertext } = await fetchBlock(context, id, { signal })
  return openBlock(key, ciphertext)
}

async function* readFrame(
  context: GridContext,
  root: BlockFrame,
  { offset, end, options }: { offset: number; end: number; options: GetOptions },
): AsyncGenerator<Uint8Array> {
  if (offset >= end) return
  if (root.kind === KIND_DATA) {
    yield root.content.subarray(offset, end)
    return
  }
  const { signal, local } = options
  const blocks = dataBlocks(context, root, { offset, end, signal })
  const ahead = local === undefined ? blocks : sameFirst(context, blocks, { local, offset, signal })
  yield* mapInOrder(ahead, BLOCKS_AHEAD, async ({ child, start, isSame }) => {
    const { sizeBytes } = child
    const known =
      isSame === true ? await local?.read({ offset: start, length: sizeBytes }) : undefined
    const content = known ?? (await readDataBlock(context, child, signal))
    return content.subarray(Math.max(0, offset - start), Math.min(sizeBytes, end - start))
  })
}

async function readDataBlock(
  context: GridContext,
  child: PlacedBlock['child'],
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const frame = await readBlock(context, child, signal)
  checkChild(frame, { level: 0, sizeBytes: child.sizeBytes })
  return frame.content
}

/** Tells of each block whether the local version has it, too. */
async function* sameFirst(
  context: GridContext,
  blocks: AsyncIterable<FoundBlock>,
  { local, ...from }: { local: LocalVersion; offset: number; signal: AbortSignal | undefined },
): AsyncGenerator<FoundBlock> {
  const same = new SameBlocks(blocksOf(context, local.reference, from))
  for await (const block of blocks) yield { ...block, isSame: await same.has(block) }
}

/** The data blocks of a file from a byte on, as far as its index can be read: an older one may be gone from the grid. */
async function* blocksOf(
  context: GridContext,
  reference: BlockReference,
  { offset, signal }: { offset: number; signal: AbortSignal | undefined },
): AsyncGenerator<FoundBlock> {
  try {
    const root = await readBlock(context, reference, signal)
    if (root.kind === KIND_DATA) return
    yield* dataBlocks(context, root, { offset, end: Infinity, signal })
  } catch (error) {
    if (!(error instanceof NotEnoughSharesError || error instanceof BrokenFileError)) throw error
  }
}

/** The data blocks that hold a range of the file, in order, with where each begins; walks the index depth first. */
async function* dataBlocks(
  context: GridContext,
  index: BlockFrame,
  range: { offset: number; end: number; signal: AbortSignal | undefined },
  startBytes = 0,
): AsyncGenerator<FoundBlock> {
  let start = startBytes
  for (const child of childrenOf(index)) {
    const childStart = start
    start += child.sizeBytes
    if (start <= range.offset) continue
    if (childStart >= range.end) return
    checkVerifyKey(child, child.verifyKey)
    if (index.level === 1) {
      yield { child, start: childStart }
    } else {
      const frame = await readBlock(context, child, range.signal)
      checkChild(frame, { level: index.level - 1, sizeBytes: child.sizeBytes })
      yield* dataBlocks(context, frame, range, childStart)
    }
  }
}

interface FoundBlock extends PlacedBlock {
  readonly child: LinkedChild
  readonly isSame?: boolean
}

function clipRange(
  range: ByteRange | undefined,
  sizeBytes: number,
): { offset: number; end: number } {
  if (range === undefined) return { offset: 0, end: sizeBytes }
  const { offset, length } = range
  if (offset > sizeBytes) {
    throw new InvalidRangeError(
      `The range begins at byte ${offset}, but the file has ${sizeBytes} bytes.`,
    )
  }
  return { offset, end: Math.min(sizeBytes, offset + length) }
}

async function* withProgress(
  chunks: AsyncIterable<Uint8Array>,
  totalBytes: number,
  { onProgress }: OperationOptions,
): AsyncGenerator<Uint8Array> {
  let doneBytes = 0
  for await (const chunk of chunks) {
    yield chunk
    doneBytes += chunk.length
    onProgress?.({ kind: 'progress', phase: 'download', doneBytes, totalBytes })
  }
}

// eslint-disable-next-line typescript/require-await -- the caller wants an async iterable
async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** Blocks fetched ahead of the reader: bounds memory at about twice as many MiB, and hides a round trip of 100 ms. */
const BLOCKS_AHEAD = 8
