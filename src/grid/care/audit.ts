import { leafCount, verifyMerkleRange } from '../../crypto/merkle.ts'
import { HayloftError } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import { MAX_AUDIT_LEAVES } from '../../protocol/limits.ts'
import { RefusedError } from '../../protocol/network.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import { callUnlessSilent } from '../nodes/patience.ts'
import type { NodeSamples, ShareSample } from './samples.ts'

/** Leaves that a node proved, and those that it could or would not. */
export interface Audited {
  readonly good: number
  readonly bad: number
}

/**
 * Has a node prove random leaves of shares that it says to hold, up to 32 in a message: some 17 KiB a share. A node that
 * is away proves nothing either way; one that is there and will not answer this has failed once.
 * @param samples at most as many as fit a message
 * @returns undefined if the node is away
 */
export async function auditNode(
  context: GridContext,
  node: NodeKey,
  samples: readonly ShareSample[],
  signal?: AbortSignal,
): Promise<Audited | undefined> {
  const { monitor, randomness } = context
  const asked = samples.slice(0, MAX_AUDIT_LEAVES).map((sample) => {
    return { sample, leaf: randomBelow(randomness, leafCount(sample.shardBytes)) }
  })
  const leaves = asked.map(({ sample: { id, index }, leaf }) => ({ id, index, leaf }))
  try {
    const request = { op: 'audit' as const, leaves }
    const { proofs } = await callUnlessSilent<'audit'>(monitor, node, request, signal)
    const good = asked.filter(({ sample, leaf }, at) => {
      const answer = proofs[at]
      if (answer === undefined) return false
      const { root, shardBytes: length } = sample
      return verifyMerkleRange({ root, length, firstLeaf: leaf, ...answer })
    }).length
    return { good, bad: asked.length - good }
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof HayloftError)) throw error
    return (await isThere(context, node, signal)) ? { good: 0, bad: 1 } : undefined
  }
}

/** Some of a node's samples, of all roots together, each share with the same chance. */
export function drawSamples(
  { randomness }: Pick<GridContext, 'randomness'>,
  ofRoots: readonly NodeSamples[],
  count: number,
): ShareSample[] {
  const open = ofRoots.map(({ shares, samples }) => ({ shares, samples: [...samples] }))
  const drawn: ShareSample[] = []
  while (drawn.length < count) {
    const left = open.filter(({ samples }) => samples.length > 0)
    const shares = left.reduce((sum, one) => sum + one.shares, 0)
    let at = randomBelow(randomness, Math.max(1, shares))
    const chosen = left.find((one) => (at -= one.shares) < 0)
    if (chosen === undefined) return drawn
    const [sample] = chosen.samples.splice(randomBelow(randomness, chosen.samples.length), 1)
    if (sample !== undefined) drawn.push(sample)
  }
  return drawn
}

/** Whether a node answers anything at all. One that was started anew is met on a new connection. */
export async function isThere(
  { monitor }: Pick<GridContext, 'monitor'>,
  node: NodeKey,
  signal?: AbortSignal,
): Promise<boolean> {
  for (let attempt = 0; attempt < HELLOS; attempt++) {
    try {
      await callUnlessSilent<'hello'>(monitor, node, { op: 'hello' }, signal)
      return true
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof RefusedError) return true
      if (!(error instanceof HayloftError)) throw error
    }
  }
  return false
}

const HELLOS = 2
