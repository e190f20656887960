import { HayloftError } from '../../foundation/error.ts'
import { linkSignals } from '../../foundation/abort.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import { encodeManifest, isShard } from '../../protocol/manifest.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import type { SeenBlock } from '../maintenance/tending.ts'
import { callUnlessSilent } from '../nodes/patience.ts'
import type { Holding } from '../nodes/survey.ts'
import { spreadOverNodes } from '../placement/spread.ts'
import { mayVanish } from './chances.ts'

/** One share that would be better elsewhere. */
export interface Move {
  readonly from: Holding
  readonly to: NodeKey
}

/**
 * The move that brings a block closer to where it would be placed today, if there is one: a share on a node that is not
 * among the block's own goes to one that is, and new, and has nothing of it. A block that lacks anything is not moved;
 * nor is a share if fewer households could vanish after that.
 */
export function moveOf(
  { view, ranking }: Pick<GridContext, 'view' | 'ranking'>,
  { id, manifest, holdings, spread, answered }: SeenBlock,
  mayTake: (node: NodeKey) => boolean,
): Move | undefined {
  const { required, total } = manifest.code
  if (spread < total) return undefined
  const own = ranking
    .order(id, total)
    .slice(0, total)
    .map(({ key }) => key)
  const holders = new Set(holdings.map(({ node }) => node))
  const to = own.find((node) => !holders.has(node) && answered.has(node) && mayTake(node))
  if (to === undefined) return undefined
  const stray = [...spreadOverNodes(holdings)].find(([, node]) => !own.includes(node))
  if (stray === undefined) return undefined
  const [index, node] = stray
  const zones = new Map(view.nodes.map(({ key, zone }) => [key, zone]))
  const zoneOf = (key: NodeKey): string => zones.get(key) ?? key
  const before = mayVanish(holdings, required, zoneOf)
  const after = mayVanish(afterMove(holdings, { from: { index, node }, to }), required, zoneOf)
  return after < before ? undefined : { from: { index, node }, to }
}

/**
 * A node that keeps of a block what is kept elsewhere as well, if there is one: all n shares are on nodes of their own
 * without it, and as many households may vanish. It comes from repairs of what was only away, and from nodes that left and
 * came back. One that is among the block's own stays, and of others the last by the order of placement goes first, which is the
 * same for all who look.
 *
 * @param counts - whether what a node says to hold is relied upon
 */
export function surplusOf(
  { view, ranking }: Pick<GridContext, 'view' | 'ranking'>,
  { id, manifest, holdings }: SeenBlock,
  counts: (node: NodeKey) => boolean,
): NodeKey | undefined {
  const { required, total } = manifest.code
  const holders = new Set(holdings.map(({ node }) => node))
  if (holders.size <= total) return undefined
  const order = ranking.order(id, total).map(({ key }) => key)
  const strays = order.slice(total).filter((node) => holders.has(node))
  const zones = new Map(view.nodes.map(({ key, zone }) => [key, zone]))
  const zoneOf = (key: NodeKey): string => zones.get(key) ?? key
  const reliable = holdings.filter(({ node }) => counts(node))
  const now = mayVanish(reliable, required, zoneOf)
  return strays.findLast((node) => {
    const rest = reliable.filter((each) => each.node !== node)
    return spreadOverNodes(rest).size >= total && mayVanish(rest, required, zoneOf) >= now
  })
}

/** Gives up this account's lease there. @returns whether that is done */
export async function dropShares(
  { monitor }: GridContext,
  { id }: SeenBlock,
  node: NodeKey,
  signal?: AbortSignal,
): Promise<boolean> {
  using linked = linkSignals(signal)
  try {
    await callUnlessSilent<'drop'>(monitor, node, { op: 'drop', ids: [id] }, linked.signal)
    return true
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof HayloftError)) throw error
    return false
  }
}

export function afterMove(holdings: readonly Holding[], { from, to }: Move): Holding[] {
  // A lease is dropped on all that a node holds of the block.
  const stay = holdings.filter(({ node }) => node !== from.node)
  return [...stay, { index: from.index, node: to }]
}

/**
 * Moves a share: reads it where it is, and gives up the lease there once the other node has it on disk. Cut short at any
 * moment it leaves one share too many and none too few.
 * @returns whether it was moved
 */
export async function moveShare(
  { monitor }: GridContext,
  { id, manifest }: SeenBlock,
  { from, to }: Move,
  signal?: AbortSignal,
): Promise<boolean> {
  const { index, node } = from
  using linked = linkSignals(signal)
  const call = callUnlessSilent
  try {
    // Somebody else may have moved one there just now.
    const { holdings } = await call<'have'>(monitor, to, { op: 'have', ids: [id] }, linked.signal)
    if (holdings[0]?.some((byte) => byte !== 0) !== false) return false
    const request = { op: 'get' as const, id, index }
    const { share } = await call<'get'>(monitor, node, request, linked.signal)
    if (share?.index !== index || !isShard(manifest, index, share.bytes)) return false
    const encoded = encodeManifest(manifest)
    const { outcome } = await call<'put'>(
      monitor,
      to,
      { op: 'put', manifest: encoded, index, leaseS: DEFAULT_LEASE_S, shard: share.bytes },
      linked.signal,
    )
    if (outcome !== 'stored') return false
    await call<'drop'>(monitor, node, { op: 'drop', ids: [id] }, linked.signal)
    return true
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof HayloftError)) throw error
    return false
  }
}
