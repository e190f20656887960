import { erasureCode, type ErasureCode } from '../src/erasure/code.ts'
import { corruptorNames } from './corruptors.ts'
import type { DriveConditions } from './disk.ts'
import { storageLieNames, type Lie } from './liars.ts'
import type { LinkConditions } from './link.ts'
import type { SeededRandomness } from './randomness.ts'

/** What a seed stands for: the grid, its weather, and how much is done on it. */
export interface Plan {
  readonly nodes: number
  readonly zones: number
  readonly clients: number
  /** Operations that run side by side, and how many each of these lines does. */
  readonly lines: number
  readonly operations: number
  readonly code: ErasureCode | undefined
  readonly link: LinkConditions
  readonly drive: DriveConditions
  readonly capacityBytes: number
  /** Whether nodes sweep, collect and scrub in the background. */
  readonly maintains: boolean
  /** Nodes that lie from the beginning. */
  readonly liars: readonly Lie[]
  /** On average, between one mishap and the next; Infinity for none. */
  readonly mishapEveryMs: number
  readonly mishaps: readonly Mishap[]
}

export type Mishap =
  | 'crash'
  | 'restart'
  | 'freeze'
  | 'partition'
  | 'rot'
  | 'replace drive'
  | 'read errors'
  | 'write errors'
  | 'slow drive'
  | 'slow link'
  | 'full drive'
  | 'lie'

export const MISHAPS: readonly Mishap[] = [
  'crash',
  'restart',
  'freeze',
  'partition',
  'rot',
  'replace drive',
  'read errors',
  'write errors',
  'slow drive',
  'slow link',
  'full drive',
  'lie',
]

/** Draws a plan: each seed gets some kinds of trouble, few get all, some get none. */
export function drawPlan(randomness: SeededRandomness): Plan {
  const nodes = randomness.between(1, 14)
  const isCalm = randomness.chance(0.15)
  const troubled = isCalm ? [] : randomness.sample(MISHAPS, randomness.between(0, 6))
  return {
    nodes,
    zones: randomness.chance(0.6) ? nodes : randomness.between(1, nodes),
    clients: randomness.pick([1, 1, 2]),
    lines: randomness.pick([1, 1, 2, 3]),
    operations: randomness.between(4, 10),
    code: drawCode(randomness, nodes),
    link: drawLink(randomness, { isCalm }),
    drive: drawDrive(randomness),
    capacityBytes:
      isCalm || randomness.chance(0.8) ? 2 ** 40 : randomness.between(10_000, 3_000_000),
    maintains: randomness.chance(0.7),
    liars: isCalm || randomness.chance(0.5) ? [] : drawLies(randomness, nodes),
    mishapEveryMs: troubled.length === 0 ? Infinity : randomness.pick([200, 1_000, 5_000]),
    mishaps: troubled,
  }
}

/** How the network is between all machines. */
export function drawLink(
  randomness: SeededRandomness,
  { isCalm }: { readonly isCalm: boolean },
): LinkConditions {
  return {
    latencyMs: randomness.pick([0, 1, 5, 40, 150]),
    bytesPerMs: randomness.pick([Infinity, Infinity, 100_000, 5_000, 500]),
    breakChance: isCalm ? 0 : randomness.pick([0, 0, 0.001, 0.01, 0.05]),
    stallChance: isCalm ? 0 : randomness.pick([0, 0, 0.001, 0.01]),
  }
}

/** How the drives of all nodes are while nothing befalls them. */
export function drawDrive(randomness: SeededRandomness): DriveConditions {
  return {
    readMs: randomness.pick([0, 0, 1, 10]),
    writeMs: randomness.pick([0, 1, 10, 40]),
    readFailureChance: 0,
    writeFailureChance: 0,
    capacityBytes: 2 ** 40,
  }
}

export function drawLie(randomness: SeededRandomness): Lie {
  return randomness.chance(0.5) ? randomness.pick(storageLieNames) : randomness.pick(corruptorNames)
}

/** Sizes at the edges of the format, and some between; large ones seldom, since they cost the most. */
export function drawFileBytes(randomness: SeededRandomness): number {
  const draw = randomness.fraction()
  if (draw < 0.5) return randomness.pick(EDGES_BYTES)
  if (draw < 0.9) return randomness.below(40_000)
  if (draw < 0.96) return randomness.below(300_000)
  return randomness.pick([2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 17])
}

const EDGES_BYTES = [0, 1, 64, 65, 503, 504, 505, 511, 512, 513, 4_096, 16_383, 16_385, 49_153]

function drawCode(randomness: SeededRandomness, nodes: number): ErasureCode | undefined {
  if (randomness.chance(0.4)) return undefined
  // Now and then more shares than nodes.
  const total = randomness.between(1, randomness.chance(0.9) ? nodes : nodes + 4)
  return erasureCode(randomness.between(1, Math.min(total, 6)), total)
}

function drawLies(randomness: SeededRandomness, nodes: number): Lie[] {
  return Array.from({ length: randomness.between(1, Math.ceil(nodes / 3)) }, () =>
    drawLie(randomness),
  )
}
