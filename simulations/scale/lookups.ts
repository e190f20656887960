import type { Findings } from '../models/table.ts'
import { meanOf } from '../durability/sampling.ts'
import type { SeededRandomness } from '../randomness.ts'
import { KAD_DEFAULTS, KadModel, type KadSettings, type Line } from './kad-model.ts'
import { KadReal } from './kad-real.ts'
import type { Lookup } from './kad-walk.ts'
import { countText, durationText } from './units.ts'

/** What lookups cost in a DHT of this size. */
export interface LookupCost {
  readonly nodes: number
  readonly settings: KadSettings
  readonly foundPart: number
  readonly hops: number
  /** Until the node was found. Of the real code without a network in between it means little, and is left out. */
  readonly requests: number | undefined
  /** The middle one of them, and the one that nineteen of twenty stay below. Of the model alone. */
  readonly medianMs: number | undefined
  readonly slowMs: number | undefined
  /** Of a look around itself, to the end. */
  readonly refreshRequests: number
  /** Of a look around some key. */
  readonly aroundRequests: number
  readonly tableSize: number
  /** Members whose table has the node that most have; of the model alone. */
  readonly mostListed: number | undefined
  readonly leastListed: number | undefined
  /** Everyone that the node which met most was ever connected to. */
  readonly mostMet: number | undefined
}

/** A fifth of the members are off at any time, and cost a timeout each. */
const LINE: Line = { roundTripMs: 60, offPart: 0.2, timeoutMs: 3000 }

export function modelLookups(options: {
  readonly nodes: number
  readonly settings?: KadSettings
  readonly offPart?: number
  readonly samples: number
  readonly randomness: SeededRandomness
}): LookupCost {
  const { nodes, settings = KAD_DEFAULTS, offPart = LINE.offPart, samples, randomness } = options
  const model = new KadModel({ nodes, settings, line: { ...LINE, offPart }, randomness })
  // Before lookups make acquaintances of their own.
  const listed = model.timesListed().toSorted((a, b) => a - b)
  const met = listed.map((_, node) => node).filter((node) => node % Math.ceil(nodes / 200) === 0)
  const mostMet = Math.max(...met.map((node) => model.acquaintances(node)))
  const times = (look: () => Lookup): Lookup[] => Array.from({ length: samples }, look)
  const lookups = times(() => model.lookUp())
  const waits = lookups.filter(({ isFound }) => isFound).map(({ latencyMs }) => latencyMs)
  waits.sort((a, b) => a - b)
  return {
    ...summed(lookups),
    nodes,
    settings,
    requests: mean(lookups, ({ requests }) => requests),
    medianMs: waits[Math.floor(waits.length / 2)],
    slowMs: waits[Math.floor(waits.length * 0.95)],
    refreshRequests: mean(
      times(() => model.refresh()),
      ({ requests }) => requests,
    ),
    aroundRequests: mean(
      times(() => model.lookAround()),
      ({ requests }) => requests,
    ),
    tableSize: model.meanTableSize(),
    mostListed: listed.at(-1),
    leastListed: listed[0],
    mostMet,
  }
}

export async function realLookups(options: {
  readonly nodes: number
  readonly settings?: KadSettings
  readonly samples: number
  readonly randomness: SeededRandomness
}): Promise<LookupCost> {
  const { nodes, settings = KAD_DEFAULTS, samples, randomness } = options
  await using real = await KadReal.grow(nodes, settings, randomness)
  const tableSize = real.meanTableSize()
  const [lookups, refreshes, arounds]: Omit<Lookup, 'latencyMs'>[][] = [[], [], []]
  for (let sample = 0; sample < samples; sample++) {
    lookups?.push(await real.lookUp())
    refreshes?.push(await real.refresh())
    arounds?.push(await real.lookAround())
  }
  return {
    ...summed(lookups ?? []),
    nodes,
    settings,
    requests: undefined,
    medianMs: undefined,
    slowMs: undefined,
    refreshRequests: mean(refreshes ?? [], ({ requests }) => requests),
    aroundRequests: mean(arounds ?? [], ({ requests }) => requests),
    tableSize,
    mostListed: undefined,
    leastListed: undefined,
    mostMet: undefined,
  }
}

function summed(lookups: readonly Omit<Lookup, 'latencyMs'>[]): {
  foundPart: number
  hops: number
} {
  const found = lookups.filter(({ isFound }) => isFound)
  return { foundPart: found.length / lookups.length, hops: mean(found, ({ hops }) => hops) }
}

function mean<T>(items: readonly T[], of: (item: T) => number): number {
  return items.length < 2 ? Number.NaN : meanOf(items.map(of)).mean
}

export function lookupFindings(
  modelled: readonly LookupCost[],
  compared: readonly (readonly [real: LookupCost, model: LookupCost])[],
): Findings {
  const text = (value: number | undefined): string => (value === undefined ? '–' : countText(value))
  return {
    charts: new Map(),
    tables: [
      {
        title: 'lookups',
        head: [
          'nodes',
          'found',
          'hops',
          'requests',
          'median',
          '95 % within',
          'asked around itself',
          'around a key',
          'contacts in a table',
          'the most listed node is in',
          'the least in',
          'the busiest has met',
        ],
        rows: modelled.map((cost) => [
          countText(cost.nodes),
          `${Number((cost.foundPart * 100).toPrecision(3))} %`,
          cost.hops.toFixed(1),
          text(cost.requests),
          durationText(cost.medianMs ?? 0),
          durationText(cost.slowMs ?? 0),
          text(cost.refreshRequests),
          text(cost.aroundRequests),
          text(cost.tableSize),
          text(cost.mostListed),
          text(cost.leastListed),
          text(cost.mostMet),
        ]),
      },
      {
        title: 'real and modelled',
        head: [
          'nodes',
          'bucket',
          'prefix bits',
          'contacts: real',
          'model',
          'hops: real',
          'model',
          'look around itself: real',
          'model',
          'around a key: real',
          'model',
        ],
        rows: compared.map(([real, model]) =>
          [real.nodes, real.settings.bucketSize, real.settings.prefixBits].map(countText).concat(
            [
              [real.tableSize, model.tableSize],
              [real.hops, model.hops],
              [real.refreshRequests, model.refreshRequests],
              [real.aroundRequests, model.aroundRequests],
            ].flatMap((pair) => pair.map((value) => value.toFixed(1))),
          ),
        ),
      },
    ],
  }
}
