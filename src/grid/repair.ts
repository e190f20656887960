import { linkSignals } from '../foundation/abort.ts'
import { mapInOrder } from '../foundation/concurrency.ts'
import { toShareBitmap } from '../protocol/bitmap.ts'
import { blockIdHex, type BlockId } from '../protocol/block-id.ts'
import type { Manifest } from '../protocol/manifest.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { fetchClaimed, rebuildShares, sampleClaimed } from './blocks/examine.ts'
import type { GoodShare } from './blocks/fetch.ts'
import type { CheckableCapability } from './blocks/walk.ts'
import { listBlocks } from './check.ts'
import type { GridContext, OperationOptions } from './context.ts'
import { BrokenFileError, NotEnoughSharesError } from './errors.ts'
import { SilentNodeError } from './nodes/patience.ts'
import { surveyBlocks, type Holding, type Survey } from './nodes/survey.ts'
import { placeShares } from './placement/place.ts'
import { spreadOverNodes } from './placement/spread.ts'
import type { StorageNodeInfo } from './view.ts'

/** How closely a file is to be looked at before it is mended. */
export interface RepairOptions extends OperationOptions {
  /**
   * How far to trust shares that are not needed to make the missing ones: `audit` (if nothing is said), each proves one
   * random leaf; `full`, each is fetched and checked to the last byte.
   */
  readonly verify?: 'audit' | 'full' | undefined
}

/** Of the file as the repair has left it. */
export interface RepairReport {
  readonly blocks: number
  /** Blocks that lacked shares and have more of them now. */
  readonly blocksRepaired: number
  readonly sharesPlaced: number
  /** Shares that still have no node. */
  readonly sharesMissing: number
  readonly healthy: boolean
}

/**
 * Brings a file back to all its shares: fetches and checks k of each block, has nodes prove that they hold the others,
 * and makes anew and places whatever is missing or rotten. A node that is caught with one bad share has every further
 * one checked whole. Keys, ids and capabilities stay the same. A verify capability suffices.
 * @throws NotEnoughSharesError a block is lost; what could be repaired before it was
 */
export async function repairFile(
  context: GridContext,
  capability: CheckableCapability,
  options: RepairOptions = {},
): Promise<RepairReport> {
  const { signal, verify = 'audit' } = options
  const { ids, flaw } = await listBlocks(context, capability, signal)
  const survey = await surveyBlocks(context, ids, signal)
  const report = { blocks: ids.length, blocksRepaired: 0, sharesPlaced: 0, sharesMissing: 0 }
  let doneBytes = 0
  let lost: Error | undefined = flaw
  const caught = new Set<NodeKey>()
  const repairs = mapInOrder(ids, BLOCKS_AT_ONCE, async (id) => {
    try {
      return await repairBlock(context, id, { survey, verify, caught, signal })
    } catch (error) {
      // One lost block must not keep the others from their repair.
      if (!(error instanceof NotEnoughSharesError || error instanceof BrokenFileError)) throw error
      lost ??= error
      return { placed: 0, missing: 0, bytes: 0 }
    }
  })
  for await (const { placed, missing, bytes } of repairs) {
    if (placed > 0) report.blocksRepaired += 1
    report.sharesPlaced += placed
    report.sharesMissing += missing
    doneBytes += bytes
    options.onProgress?.({ kind: 'progress', phase: 'repair', doneBytes })
  }
  if (lost !== undefined) throw lost
  return { ...report, healthy: report.sharesMissing === 0 }
}

async function repairBlock(
  context: GridContext,
  id: BlockId,
  {
    survey,
    verify,
    caught,
    signal,
  }: {
    survey: Survey
    verify: 'audit' | 'full'
    /** Nodes that showed a bad share; those found here are added. */
    caught: Set<NodeKey>
    signal: AbortSignal | undefined
  },
): Promise<{ placed: number; missing: number; bytes: number }> {
  const claims = survey.holdings.get(blockIdHex(id)) ?? []
  const { manifest, shares, good, bad } =
    verify === 'full'
      ? await fetchClaimed(context, id, { claims, signal })
      : await sampleClaimed(context, id, { claims, caught, signal })
  for (const { node } of bad) caught.add(node)
  const required = manifest?.code.required
  const found = new Set(shares.map(({ index }) => index)).size
  if (manifest === undefined || found < manifest.code.required) {
    const mayComeBack = found + survey.silent.length >= (required ?? 1)
    throw new NotEnoughSharesError(id, { found, required, mayComeBack })
  }
  const { answered } = survey
  const missing = { manifest, shares, good, bad, claims, answered: new Set(answered), signal }
  const placement = await placeMissing(context, id, missing)
  return { ...placement, bytes: manifest.ciphertextBytes }
}

/** A block that can be read, and what is known of its shares. */
export interface KnownShares {
  readonly manifest: Manifest
  /** At least k of them, of different indices. */
  readonly shares: readonly GoodShare[]
  /** Claims that hold. */
  readonly good: readonly Holding[]
  readonly bad: readonly Holding[]
  /** All claims. */
  readonly claims: readonly Holding[]
  /** Nodes that have said what they hold. */
  readonly answered: ReadonlySet<NodeKey>
  /** Whether a node may be given a share; by default every one may. */
  readonly mayTake?: ((node: NodeKey) => boolean) | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Makes the shares of a block anew that no node of their own has, and places them.
 * @returns how many more shares have a node now, how many still have none, and who has which
 * @throws BrokenFileError
 */
export async function placeMissing(
  context: GridContext,
  id: BlockId,
  { manifest, shares, good, bad, claims, answered, mayTake = everyone, signal }: KnownShares,
): Promise<Mended> {
  const held = spreadOverNodes(good)
  const { total } = manifest.code
  if (held.size === total) return { placed: 0, missing: 0, holders: held }
  const wanted = Array.from({ length: total }, (_, index) => index).filter(
    (index) => !held.has(index),
  )
  const rebuilt = rebuildShares(context, id, { manifest, shares, wanted })
  using giveUp = linkSignals(signal)
  const { holders } = await placeShares(rebuilt, {
    order: caughtLast(context.ranking.order(id, total), claims, good).filter(mayTake),
    monitor: context.monitor,
    held,
    // What was found rotten counts as not held: if nobody else can take it, the node is sent a good one.
    ask: (node) => answerFrom(answered, node),
    // A node that has just shown a bad share and still claims to have it would show it to readers, too.
    isDoubtful: (node, index) => bad.some((one) => one.node === node && one.index === index),
    signal: giveUp.signal,
    onOwed: () => {
      giveUp.abort(new Error('silent nodes are not waited for'))
    },
  })
  signal?.throwIfAborted()
  return { placed: holders.size - held.size, missing: total - holders.size, holders }
}

/** What became of the shares of a block. */
interface Mended {
  readonly placed: number
  readonly missing: number
  /** Share index → the node that has it, each on a node of its own. */
  readonly holders: ReadonlyMap<number, NodeKey>
}

function everyone(): boolean {
  return true
}

/** Nodes that claimed a share which was not good may have a bad drive or worse: others are better trusted with a new one. */
function caughtLast(
  order: readonly StorageNodeInfo[],
  claims: readonly Holding[],
  good: readonly Holding[],
): NodeKey[] {
  const isGood = ({ index, node }: Holding): boolean =>
    good.some((share) => share.index === index && share.node === node)
  const caught = new Set(claims.filter((claim) => !isGood(claim)).map(({ node }) => node))
  const keys = order.map(({ key }) => key)
  return [...keys.filter((key) => !caught.has(key)), ...keys.filter((key) => caught.has(key))]
}

/** Whoever has a good share of its own is not asked any more; the others have none that counts. */
async function answerFrom(answered: ReadonlySet<NodeKey>, node: NodeKey): Promise<Uint8Array> {
  if (!answered.has(node)) throw new SilentNodeError(node)
  return Promise.resolve(toShareBitmap([]))
}

/** Blocks under repair at the same time: as many times k shards and those made anew are in memory. */
const BLOCKS_AT_ONCE = 8
