import { networkInterfaces } from 'node:os'
import type { Clock } from '../../foundation/clock.ts'
import { sleep } from '../../foundation/clock.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { messageOf } from '../../foundation/error.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { PathKind } from './path.ts'
import type { PathReport } from './paths.ts'
import { findRouterKind, type RouterKind } from './router-type.ts'
import type { Standing } from './standing.ts'

/** What a host found out about itself and its ways to others, for `hayloft doctor`. */
export interface Diagnosis extends Omit<PathReport, 'peers'> {
  /** Where it listens beyond this machine; undefined for clients and for nodes that listen on loopback only. */
  readonly listening: { readonly host: string; readonly port: number } | undefined
  readonly router: RouterKind
  /** How far this machine's clock is ahead of members' clocks; undefined if none could be asked. */
  readonly clockAheadMs: number | undefined
  readonly members: readonly MemberPath[]
}

export interface MemberPath extends PathTaken {
  readonly node: NodeKey
  /** Why it cannot be reached. */
  readonly why: string | undefined
}

export interface PathTaken {
  /** `none`: it cannot be reached. */
  readonly path: PathKind | 'none'
  /** Kinds of all connections that are open, the one in use first. */
  readonly open: readonly PathKind[]
  readonly address: string | undefined
  readonly roundTripMs: number | undefined
}

export interface DiagnosisOptions {
  readonly clock: Clock
  readonly standing: Pick<Standing, 'listening' | 'observations'>
  readonly report: () => PathReport
  readonly isImproving: (node: NodeKey) => boolean
  readonly pathTo: (node: NodeKey) => Promise<PathTaken>
  /** Rejects with why a node cannot be reached. */
  readonly connect: (node: NodeKey) => Promise<unknown>
  readonly randomness: Randomness
  readonly signal: AbortSignal
}

/**
 * Finds out all that can be found out: connects to these nodes, waits until no better path to them is looked for any
 * more, and asks members about the router and the time.
 */
export async function diagnose(
  nodes: readonly NodeKey[],
  options: DiagnosisOptions,
): Promise<Diagnosis> {
  const { clock, standing, report, connect, pathTo, randomness, signal } = options
  const failures = new Map<NodeKey, string>()
  await mapConcurrently(nodes, DIAGNOSED_AT_ONCE, async (node) => {
    await connect(node).catch((error: unknown) => failures.set(node, messageOf(error)))
  })
  await settle(nodes, options)
  const { listening, observations } = standing
  const router = await findRouterKind(observations.routerHelpers(), {
    clock,
    randomness,
    ownHosts: ownHosts(),
    signal,
  })
  const members = await mapConcurrently(nodes, DIAGNOSED_AT_ONCE, async (node) => {
    const path = await pathTo(node)
    return { node, ...path, why: path.path === 'none' ? failures.get(node) : undefined }
  })
  const { peers: _, ...rest } = report()
  return {
    ...rest,
    listening: listening && { host: listening.host, port: listening.port },
    router,
    clockAheadMs: middleOf(observations.clockDifferencesMs()),
    members,
  }
}

/** Nodes that a diagnosis connects to at once. */
const DIAGNOSED_AT_ONCE = 16
/** Relayed connections need a moment before a better path to them is looked for, */
const MIN_SETTLE_MS = 1_000
/** and it takes a punch and WebRTC at most this long to fail. */
const MAX_SETTLE_MS = 20_000
const SETTLE_POLL_MS = 100

async function settle(
  nodes: readonly NodeKey[],
  { clock, isImproving, signal }: DiagnosisOptions,
): Promise<void> {
  const startedMs = clock.monotonicMs()
  const waitedMs = (): number => clock.monotonicMs() - startedMs
  const isBusy = (): boolean => waitedMs() < MIN_SETTLE_MS || nodes.some(isImproving)
  while (isBusy() && waitedMs() < MAX_SETTLE_MS) await sleep(clock, SETTLE_POLL_MS, signal)
}

/** The middle one of several clocks' differences: one that is wrong does not count. */
function middleOf(differencesMs: readonly number[]): number | undefined {
  const sorted = differencesMs.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

function ownHosts(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  )
}
