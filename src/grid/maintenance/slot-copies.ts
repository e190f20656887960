import type { ErasureCode } from '../../erasure/code.ts'
import { slotVerifyKey } from '../../capabilities/slot-keys.ts'
import { linkSignals } from '../../foundation/abort.ts'
import { HayloftError } from '../../foundation/error.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { Link, SlotLink } from '../blocks/frame.ts'
import type { GridContext } from '../context.ts'
import { callUnlessSilent } from '../nodes/patience.ts'
import { happinessThreshold } from '../placement/defaults.ts'
import { openHeadLinks } from '../slots/opened.ts'
import type { Head } from '../slots/heads.ts'
import type { SlotSurvey } from './surveyor.ts'

/** Which nodes have the newest states of a slot. */
export interface SlotCopies {
  readonly heads: readonly Head[]
  /** Nodes that have all of them. */
  readonly holders: readonly NodeKey[]
  /** Copies that there should be. */
  readonly copies: number
  /** Copies that there are too few, or that are old where readers look first. */
  readonly missing: number
  /** Whether so many nodes have answered that some of them have every durable write. */
  readonly isSettled: boolean
}

export function copiesOf(
  { view, ranking }: Pick<GridContext, 'view' | 'ranking'>,
  link: SlotLink,
  { survey, code }: { survey: SlotSurvey; code: ErasureCode },
): SlotCopies {
  const { heads, answers } = survey
  const copies = Math.max(1, Math.min(code.total, view.nodes.length))
  const holders = [...answers].filter(([, held]) => hasAll(held, heads)).map(([node]) => node)
  const own = ranking.order(link.slot, code.total).slice(0, copies)
  const answering = own.filter(({ key }) => answers.has(key))
  const lagging = answering.filter(({ key }) => !holders.includes(key))
  return {
    heads,
    holders: heads.length === 0 ? [] : holders,
    copies,
    missing: heads.length === 0 ? copies : Math.max(copies - holders.length, lagging.length),
    isSettled: answering.length > copies - Math.min(copies, happinessThreshold(code)),
  }
}

/** What the states of a slot lead to. */
export function linksOfHeads(
  link: SlotLink,
  heads: readonly Head[],
): { links: readonly Link[]; unreadable: number } {
  const { opened, unreadable } = openHeadLinks(slotVerifyKey(link.verifyKey), heads)
  const roots = opened.flatMap(({ root }) => root ?? [])
  return { links: roots.concat(opened.flatMap(({ parents }) => parents)), unreadable }
}

/**
 * Gives the newest states of a slot to its own nodes that lack them, and where some of these are away, to those after
 * them. Records are signed, so whoever knows them can pass them on.
 * @returns the nodes that have got them
 */
export async function replicateHeads(
  context: GridContext,
  link: SlotLink,
  {
    survey,
    copies,
    code,
    signal,
  }: { survey: SlotSurvey; copies: SlotCopies; code: ErasureCode; signal: AbortSignal },
): Promise<readonly NodeKey[]> {
  const { heads, holders } = copies
  const given: NodeKey[] = []
  const order = context.ranking.order(link.slot, code.total).map(({ key }) => key)
  for (const [at, node] of order.entries()) {
    const isOwn = at < copies.copies
    if (!isOwn && holders.length + given.length >= copies.copies) break
    const held = survey.answers.get(node)
    if (held === undefined || holders.includes(node)) continue
    const names = new Set(held.map(({ name }) => name))
    const lacking = heads.filter(({ name }) => !names.has(name))
    if (await giveHeads(context, node, lacking, signal)) given.push(node)
  }
  return given
}

async function giveHeads(
  { monitor }: GridContext,
  node: NodeKey,
  heads: readonly Head[],
  signal: AbortSignal,
): Promise<boolean> {
  using linked = linkSignals(signal)
  try {
    for (const { record } of heads) {
      const request = { op: 'slot-put' as const, record: record.bytes, leaseS: DEFAULT_LEASE_S }
      const { outcome } = await callUnlessSilent<'slot-put'>(monitor, node, request, linked.signal)
      // Stale: it has got a newer one meanwhile, which is as good.
      if (outcome !== 'stored' && outcome !== 'have' && outcome !== 'stale') return false
    }
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof HayloftError)) throw error
    return false
  }
}

function hasAll(held: readonly Head[], heads: readonly Head[]): boolean {
  const names = new Set(held.map(({ name }) => name))
  return heads.every(({ name }) => names.has(name))
}
