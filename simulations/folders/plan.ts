import { defaultCode, happinessThreshold } from '../../src/grid/placement/defaults.ts'
import { settledAt } from '../../src/grid/slots/poll.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import type { DriveConditions } from '../disk.ts'
import { drawDrive, drawLie, drawLink, MISHAPS, type Mishap } from '../plan.ts'
import { COSTS_TRUST } from '../weather.ts'
import type { Lie } from '../liars.ts'
import type { LinkConditions } from '../link.ts'
import type { SeededRandomness } from '../randomness.ts'
import { slotLieNames } from '../slot-liars.ts'

/** What a seed stands for: the grid, its weather, and who works in the folder how. */
export interface FolderPlan {
  readonly nodes: number
  readonly zones: number
  readonly devices: number
  /** Nothing goes wrong, so nothing may fail. */
  readonly isCalm: boolean
  /** One device after another, each looking before it writes; else all at once. */
  readonly isSequential: boolean
  /** What all devices do together. */
  readonly steps: number
  /** Things that a device does at once. */
  readonly lines: number
  readonly link: LinkConditions
  readonly drive: DriveConditions
  readonly capacityBytes: number
  /** Nodes may have no room left, for good. */
  readonly isScarce: boolean
  /** So many nodes may lose what they keep or lie about it; the others may only be away. */
  readonly unreliable: number
  /** Lies of the first of them, from the beginning to the end. */
  readonly liars: readonly Lie[]
  readonly mishapEveryMs: number
  readonly mishaps: readonly Mishap[]
  readonly deviceMishaps: readonly DeviceMishap[]
  /** That a write of a device's memory fails. */
  readonly diskFailureChance: number
  /** After the storm, whether somebody writes while many of the folder's own nodes are away. */
  readonly writesElsewhere: boolean
  /** In the end, whether all nodes go back to an old state, and then again for each device. */
  readonly rollsBack: boolean
  /** How often somebody does something with a whole directory or another folder. */
  readonly largerChance: number
  /** Whether everybody watches the folder. */
  readonly watches: boolean
}

/** What befalls a device between two things that it does, or during one. */
export type DeviceMishap =
  | 'crash'
  | 'restart'
  | 'restore backup'
  | 'cut off'
  | 'split the grid'
  /** Many of the nodes where the folder's copies belong are away for all, so that what is written lands on others. */
  | 'own nodes away'

const DEVICE_MISHAPS: readonly DeviceMishap[] = [
  'crash',
  'restart',
  'restore backup',
  'cut off',
  'split the grid',
  'own nodes away',
]

/** Draws a plan: each seed gets some kinds of trouble, few get all, some get none. */
export function drawFolderPlan(randomness: SeededRandomness): FolderPlan {
  const isCalm = randomness.chance(0.12)
  const isScarce = !isCalm && randomness.chance(0.1)
  const writesElsewhere = !isScarce && !isCalm && randomness.chance(0.4)
  // So many more nodes than copies that all of a slot's own may be away, and yet enough are left.
  const hasElsewhere = writesElsewhere && randomness.chance(0.5)
  const nodes = hasElsewhere ? randomness.between(10, 14) : randomness.pick(NODES)
  const isSequential = randomness.chance(0.25)
  const mishaps = isCalm ? [] : randomness.sample(MISHAPS, randomness.between(0, 5))
  const deviceMishaps = isCalm ? [] : randomness.sample(DEVICE_MISHAPS, randomness.between(0, 3))
  const zones = hasElsewhere
    ? randomness.between(3, 6)
    : randomness.chance(0.8)
      ? nodes
      : randomness.between(1, nodes)
  const unreliable = isCalm ? 0 : toleratedLosses({ nodes, zones, isSequential })
  return {
    nodes,
    zones,
    devices: randomness.pick([2, 2, 3, 3, 4]),
    isCalm,
    isSequential,
    steps: randomness.between(6, 16),
    lines: isSequential ? 1 : randomness.pick([1, 1, 2]),
    link: drawLink(randomness, { isCalm }),
    drive: drawDrive(randomness),
    capacityBytes: isScarce ? randomness.between(20_000, 300_000) : 2 ** 40,
    isScarce,
    unreliable,
    liars: randomness.chance(0.5)
      ? []
      : Array.from({ length: randomness.between(0, unreliable) }, () => drawSlotLie(randomness)),
    mishapEveryMs: mishaps.length === 0 ? Infinity : randomness.pick([300, 1_500, 6_000]),
    mishaps,
    deviceMishaps,
    diskFailureChance: isCalm ? 0 : randomness.pick([0, 0, 0, 0.02]),
    writesElsewhere,
    rollsBack: !isScarce && randomness.chance(0.4),
    largerChance: randomness.pick([0, 0.2, 0.5]),
    watches: randomness.chance(0.3),
  }
}

/** Often more than there are copies. */
const NODES = [1, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9, 10, 10, 11, 12, 13, 14, 16, 18, 20]

/** Mostly about slots, now and then about blocks. */
export function drawSlotLie(randomness: SeededRandomness): Lie {
  return randomness.chance(0.75) ? randomness.pick(slotLieNames) : drawLie(randomness)
}

/** Whether every node shows what it has taken, so that nobody may be told of a rollback before there is one. */
export function isLoyal({ liars, mishaps }: FolderPlan): boolean {
  return liars.length === 0 && !mishaps.some((mishap) => COSTS_TRUST.has(mishap))
}

/**
 * Nodes that may lose everything without a promise broken: blocks need k of the h holders that they count as stored
 * with, slots one of their k + 1; and where devices rely on seeing what was written before, a settled read must meet a
 * loyal holder.
 */
function toleratedLosses({
  nodes,
  zones,
  isSequential,
}: Pick<FolderPlan, 'nodes' | 'zones' | 'isSequential'>): number {
  const code = defaultCode(
    Array.from({ length: nodes }, (_, at) => ({
      key: nodeKey(String(at).padStart(64, '0')),
      name: `node ${at}`,
      zone: `zone ${at % zones}`,
      capacityBytes: 1,
    })),
  )
  const enough = happinessThreshold(code)
  const copies = Math.min(code.total, nodes)
  // Of the slot's own nodes so many answer at least; the others of those that settle a read may be substitutes.
  const ownAnswers = Math.max(copies - enough + 1, settledAt(copies) - (nodes - copies))
  const surelySeen = enough + ownAnswers - copies - 1
  const most = Math.min(code.required, enough - code.required)
  return isSequential ? Math.min(most, surelySeen) : most
}
