import { mapInOrder } from '../foundation/concurrency.ts'
import { blockIdHex, type BlockId, type BlockIdHex } from '../protocol/block-id.ts'
import { MAX_SHARES } from '../protocol/limits.ts'
import type { Manifest } from '../protocol/manifest.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { auditClaimed, fetchClaimed, fetchManifest, isOneCodeword } from './blocks/examine.ts'
import { walkFile, type CheckableCapability } from './blocks/walk.ts'
import type { GridContext, OperationOptions } from './context.ts'
import { BrokenFileError, NotEnoughSharesError } from './errors.ts'
import { surveyBlocks, type Holding } from './nodes/survey.ts'
import { spreadOverNodes } from './placement/spread.ts'

/** How closely a file is to be looked at. */
export interface CheckOptions extends OperationOptions {
  /**
   * How far to trust nodes that say they hold a share. `none`: their word. `audit`: each proves one random leaf of
   * it. `full`: every share is fetched and checked to the last byte.
   */
  readonly verify?: 'none' | 'audit' | 'full' | undefined
}

/** What was found out about a file. */
export interface CheckReport {
  /**
   * Whether every block has k shares, so that the file can be read. False only if it is certain that some block has
   * not; `unknown` if too few were found and nodes that may have more did not answer.
   */
  readonly recoverable: boolean | 'unknown'
  /** Every block has all n shares, each on a node of its own. */
  readonly healthy: boolean
  /** k and n of the file's blocks; 0 when no share was found that would tell. */
  readonly sharesRequired: number
  readonly sharesTotal: number
  readonly blocks: readonly BlockReport[]
  readonly nodesAnswered: readonly NodeKey[]
  readonly nodesSilent: readonly NodeKey[]
}

/** What was found out about one block of a file. */
export interface BlockReport {
  readonly id: BlockIdHex
  /** Different shares of the block that nodes claim to hold. */
  readonly sharesFound: number
  /** Those of them that stood the verification asked for. */
  readonly sharesGood: number
  /** The most of these that are each on a node of its own: where nodes have gone, one may keep several. */
  readonly sharesSpread: number
  readonly holders: readonly Holding[]
}

/** Finds out where a file's shares are and whether they are any good. A verify capability suffices. */
export async function checkFile(
  context: GridContext,
  capability: CheckableCapability,
  options: CheckOptions = {},
): Promise<CheckReport> {
  const { signal, verify = 'none' } = options
  const { ids, flaw } = await listBlocks(context, capability, signal)
  const { holdings, answered, silent } = await surveyBlocks(context, ids, signal)
  const findings: Finding[] = []
  const progress = { doneBytes: 0 }
  const claimsOf = (id: BlockId): readonly Holding[] => holdings.get(blockIdHex(id)) ?? []
  // Where nodes are taken at their word, one manifest tells k and n for all blocks of a file.
  const known = ids.find((id) => claimsOf(id).length > 0)
  const sample =
    verify === 'none' && known !== undefined
      ? await fetchManifest(context, known, { claims: claimsOf(known), signal })
      : undefined
  const examined = mapInOrder(ids, BLOCKS_AT_ONCE, async (id) =>
    verify === 'none'
      ? findingOf(id, { claims: claimsOf(id), good: claimsOf(id), bad: [], manifest: sample })
      : examine(context, id, { claims: claimsOf(id), verify, signal }),
  )
  for await (const finding of examined) {
    findings.push(finding)
    progress.doneBytes += finding.bytes
    options.onProgress?.({ kind: 'progress', phase: 'check', ...progress })
  }
  const manifest = findings.find((finding) => finding.manifest !== undefined)?.manifest
  const required = manifest?.code.required ?? 0
  const total = manifest?.code.total ?? 0
  return {
    recoverable: verdictOf(findings, { flaw, required, isComplete: silent.length === 0 }),
    healthy:
      flaw === undefined &&
      total > 0 &&
      findings.every(({ report }) => report.sharesSpread >= total),
    sharesRequired: required,
    sharesTotal: total,
    blocks: findings.map(({ report }) => report),
    nodesAnswered: answered,
    nodesSilent: silent,
  }
}

/** Ids of a file's blocks, each once; with the `flaw` that hides others where an index cannot be read. */
export async function listBlocks(
  context: GridContext,
  capability: CheckableCapability,
  signal: AbortSignal | undefined,
): Promise<{ ids: BlockId[]; flaw: NotEnoughSharesError | BrokenFileError | undefined }> {
  const ids = new Map<BlockIdHex, BlockId>()
  try {
    for await (const { id } of walkFile(context, capability, signal)) ids.set(blockIdHex(id), id)
  } catch (error) {
    if (!(error instanceof NotEnoughSharesError || error instanceof BrokenFileError)) throw error
    return { ids: [...ids.values()], flaw: error }
  }
  return { ids: [...ids.values()], flaw: undefined }
}

function verdictOf(
  findings: readonly Finding[],
  {
    flaw,
    required,
    isComplete,
  }: { flaw: Error | undefined; required: number; isComplete: boolean },
): CheckReport['recoverable'] {
  // What its writer broke, no node can mend.
  if (flaw instanceof BrokenFileError) return false
  const short = findings.filter(({ report }) => required === 0 || report.sharesGood < required)
  if (short.length === 0 && flaw === undefined) return true
  if (!isComplete) return 'unknown'
  return short.length > 0 && short.every(({ hasUnanswered }) => hasUnanswered) ? 'unknown' : false
}

interface Finding {
  readonly report: BlockReport
  /** Whether some claim got no answer. */
  readonly hasUnanswered: boolean
  readonly manifest: Manifest | undefined
  readonly bytes: number
}

async function examine(
  context: GridContext,
  id: BlockId,
  {
    claims,
    verify,
    signal,
  }: { claims: readonly Holding[]; verify: 'audit' | 'full'; signal: AbortSignal | undefined },
): Promise<Finding> {
  if (verify === 'audit') {
    const manifest = await fetchManifest(context, id, { claims, signal })
    if (manifest === undefined) return findingOf(id, { claims, good: [], bad: [], manifest })
    const audited = await auditClaimed(context, id, { claims, manifest, signal })
    return findingOf(id, { claims, good: audited.proven, bad: audited.refuted, manifest })
  }
  const { manifest, shares, bad } = await fetchClaimed(context, id, { claims, signal })
  if (manifest !== undefined && !isOneCodeword(context, id, { manifest, shares })) {
    return findingOf(id, { claims, good: [], bad: claims, manifest })
  }
  return findingOf(id, { claims, good: shares, bad, manifest })
}

function findingOf(
  id: BlockId,
  {
    claims,
    good,
    bad,
    manifest,
  }: {
    claims: readonly Holding[]
    good: readonly Holding[]
    bad: readonly Holding[]
    manifest: Manifest | undefined
  },
): Finding {
  const total = manifest?.code.total ?? MAX_SHARES
  // Nodes may claim shares that no such block has.
  const isPossible = ({ index }: Holding): boolean => index < total
  const holders = good.filter(isPossible).map(({ index, node }) => ({ index, node }))
  const sharesFound = distinctShares(claims.filter(isPossible))
  return {
    report: {
      id: blockIdHex(id),
      sharesFound,
      sharesGood: distinctShares(holders),
      sharesSpread: spreadOverNodes(holders).size,
      holders,
    },
    hasUnanswered: good.length + bad.length < claims.length,
    manifest,
    bytes: manifest?.ciphertextBytes ?? 0,
  }
}

function distinctShares(holdings: readonly Holding[]): number {
  return new Set(holdings.map(({ index }) => index)).size
}

/** Blocks examined at the same time: with `full`, as many times n shards are in memory. */
const BLOCKS_AT_ONCE = 6
