import type { NodeKey } from '../../protocol/node-key.ts'
import type { SeenBlock, SeenSlot } from '../maintenance/tending.ts'
import type { TreeReport } from '../maintenance/report.ts'
import type { Holding } from '../nodes/survey.ts'
import { spreadOverNodes } from '../placement/spread.ts'
import { chanceOfTooFew, mayVanish } from './chances.ts'
import type { RootState } from './memory.ts'

/** What is known of the nodes, to judge by. */
export interface NodeChances {
  zoneOf(node: NodeKey): string
  /** The part of the time that it is there. */
  availabilityOf(node: NodeKey): number
  /** The chance that it leaves for good between two repairs. */
  chanceOfLeaving(node: NodeKey): number
}

/**
 * Adds up who holds what of a tree. Blocks whose shares are on the same nodes stand and fall together, and placement
 * makes few such sets of nodes (some thousand at most), so that each is judged once.
 */
export class DurabilityTally {
  readonly #sets = new Map<
    string,
    { holdings: readonly Holding[]; required: number; total: number }
  >()

  addBlock({ holdings, manifest }: Pick<SeenBlock, 'holdings' | 'manifest'>): void {
    const { required, total } = manifest.code
    this.#add(holdings, required, total)
  }

  /** Any copy of a slot will do. */
  addSlot({ holders }: SeenSlot): void {
    const holdings = holders.map((node, index) => ({ index, node }))
    this.#add(holdings, 1, holders.length)
  }

  /** What that means for the tree, of which `report` tells the rest. */
  state(report: TreeReport, chances: NodeChances): RootState {
    const { blocks, slots } = report
    const lost = blocks.lost + slots.lost + report.broken
    const sets = [...this.#sets.values()]
    const zoneOf = chances.zoneOf.bind(chances)
    const judged = sets.map(({ holdings, required, total }) => ({
      vanish: mayVanish(holdings, required, zoneOf),
      oneMore: mayVanish(withOneMore(holdings, total, zoneOf), required, zoneOfAny(zoneOf)),
      zones: new Set(holdings.map(({ node }) => zoneOf(node))).size,
    }))
    const isEmpty = judged.length === 0
    const worst = judged.toSorted((a, b) => a.vanish - b.vanish || a.zones - b.zones)[0]
    const intervals = YEAR_MS / REPAIR_INTERVAL_MS
    const chanceOfLoss = atMostOne(
      sets.map(({ holdings, required }) =>
        chanceOfTooFew(holdings, required, (node) => 1 - chances.chanceOfLeaving(node)),
      ),
    )
    return {
      recoverable: report.recoverable,
      healthy: report.healthy,
      blocks: blocks.total,
      slots: slots.total,
      bytes: report.bytes,
      sharesMissing: report.sharesMissing,
      copiesMissing: report.copiesMissing,
      lost,
      mayVanish: lost > 0 ? -1 : (worst?.vanish ?? 0),
      households: worst?.zones ?? 0,
      mayVanishWithOneMore:
        lost > 0 || isEmpty ? -1 : Math.min(...judged.map(({ oneMore }) => oneMore)),
      chanceUnreadable:
        lost > 0
          ? 1
          : atMostOne(
              sets.map(({ holdings, required }) =>
                chanceOfTooFew(holdings, required, chances.availabilityOf.bind(chances)),
              ),
            ),
      chanceOfLossInYear: lost > 0 ? 1 : -Math.expm1(intervals * Math.log1p(-chanceOfLoss)),
    }
  }

  #add(holdings: readonly Holding[], required: number, total: number): void {
    const names = holdings.map(({ index, node }) => `${index}@${node}`).sort()
    const key = `${required}/${total} ${names.join(' ')}`
    if (this.#sets.has(key)) return
    if (this.#sets.size < MAX_SETS)
      this.#sets.set(key, { holdings: [...holdings], required, total })
  }
}

/**
 * What would be if one household more took part: it gets a share that nobody has, or else one of those of the household
 * that has the most.
 */
function withOneMore(
  holdings: readonly Holding[],
  total: number,
  zoneOf: (node: NodeKey) => string,
): readonly Holding[] {
  const held = new Set(holdings.map(({ index }) => index))
  const missing = Array.from({ length: total }, (_, index) => index).find((at) => !held.has(at))
  if (missing !== undefined) return [...holdings, { index: missing, node: NEWCOMER }]
  const ofZone = new Map<string, number[]>()
  for (const [index, node] of spreadOverNodes(holdings)) {
    ofZone.set(zoneOf(node), [...(ofZone.get(zoneOf(node)) ?? []), index])
  }
  const most = [...ofZone.values()].toSorted((a, b) => b.length - a.length)[0] ?? []
  const [moved] = most
  if (most.length < 2 || moved === undefined) return holdings
  return [...holdings.filter(({ index }) => index !== moved), { index: moved, node: NEWCOMER }]
}

/** No node's key: those are of 64 digits. */
const NEWCOMER = 'newcomer' as NodeKey

function zoneOfAny(zoneOf: (node: NodeKey) => string): (node: NodeKey) => string {
  // No zone of a node can be called that: names hold no control characters.
  return (node) => (node === NEWCOMER ? '\n' : zoneOf(node))
}

/** Boole's inequality: the chance that one of several things happens is at most the sum of theirs. */
function atMostOne(chances: readonly number[]): number {
  return Math.min(
    1,
    chances.reduce((sum, each) => sum + each, 0),
  )
}

/** Far more than the sets that placement makes in its 1,024 groups. */
const MAX_SETS = 2 ** 15
const DAY_MS = 24 * 3_600_000
const YEAR_MS = 365 * DAY_MS
/** From when a node leaves until others have its shares: the longest grace, and a day for the repair. */
export const REPAIR_INTERVAL_MS = 2 * DAY_MS
