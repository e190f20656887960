import { mapConcurrently } from '../../foundation/concurrency.ts'
import type { Clock } from '../../foundation/clock.ts'
import { messageOf } from '../../foundation/error.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { systemClock } from '../../foundation/system.ts'
import { withDeadline } from '../../network/deadline.ts'
import { parsePeerIdText, peerIdText } from '../../network/identity.ts'
import { openOwnClient } from '../own-home.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { readAddressFile, writeAddressFile } from '../../home/address-file.ts'
import { readOwnGrid } from '../../home/own-grid.ts'
import { readRunning, type RunningFile } from '../../home/running-file.ts'
import { startNode, stopNode } from './node-process.ts'
import { nodeNames, readPractice, requirePractice, type Practice } from './practice-file.ts'
import { preparePractice } from './prepare.ts'

export interface System {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly signal: AbortSignal
}

export interface NodeState {
  readonly name: string
  readonly home: string
  readonly peerId: string
  /** Undefined where the node does not run. */
  readonly running: RunningFile | undefined
}

const DEFAULT_NODES = 10
/** Each is a process of some 100 MB. */
export const MAX_NODES = 100

/** Nodes that start at a time: more would only make each other slower. */
const STARTS_AT_ONCE = 10

/**
 * Starts whatever nodes of a practice grid do not run, making the grid first if there is none, and returns once every
 * node has answered a client.
 */
export async function startPractice(
  dir: string,
  { nodes: wanted, system }: { nodes: number | undefined; system: System },
): Promise<{ practice: Practice; nodes: NodeState[]; started: number }> {
  const existing = await readPractice(dir)
  refuseOtherSize(existing, wanted)
  if (existing !== undefined) {
    const nodes = await statesOf(existing)
    if (nodes.every(({ running }) => running !== undefined)) {
      await contactAll(existing, system)
      return { practice: existing, nodes, started: 0 }
    }
  }
  const names = existing?.nodes.map(({ name }) => name) ?? nodeNames(wanted ?? DEFAULT_NODES)
  const practice = await preparePractice(dir, { names, ...system })
  const isRunning = await mapConcurrently(practice.nodes, STARTS_AT_ONCE, async (node) => {
    return (await readRunning(node.files.running)) !== undefined
  })
  const idle = practice.nodes.filter((_, at) => isRunning[at] !== true)
  await startAll(idle, system)
  await contactAll(practice, system)
  return { practice, nodes: await statesOf(practice), started: idle.length }
}

/** Stops the nodes of that name, or all. */
export async function stopPractice(
  dir: string,
  { names, system }: { names: readonly string[]; system: System },
): Promise<{ practice: Practice; stopped: string[] }> {
  const practice = await requirePractice(dir)
  const unknown = names.find((name) => !practice.nodes.some((node) => node.name === name))
  if (unknown !== undefined) {
    throw usageError(`The practice grid in ${dir} has no node named ${unknown}.`)
  }
  const chosen = practice.nodes.filter(({ name }) => names.length === 0 || names.includes(name))
  const outcomes = await Promise.all(chosen.map(async (node) => await stopNode(node, system)))
  const stopped = chosen.filter((_, at) => outcomes[at] !== 'not-running')
  return { practice, stopped: stopped.map(({ name }) => name) }
}

export async function statesOf(practice: Practice): Promise<NodeState[]> {
  const grid = await readOwnGrid(practice.client, systemClock)
  const members = grid?.membership.nodes ?? []
  return await Promise.all(
    practice.nodes.map(async ({ name, files }) => {
      const member = members.find((each) => each.name === name)
      const running = await readRunning(files.running)
      const peerId = member === undefined ? '' : peerIdText(member.key)
      return { name, home: files.home, peerId, running }
    }),
  )
}

async function startAll(nodes: Practice['nodes'], system: System): Promise<void> {
  const attempts = await mapConcurrently(nodes, STARTS_AT_ONCE, async (node) => {
    try {
      await startNode(node, system)
      return undefined
    } catch (thrown) {
      return { thrown }
    }
  })
  const failed = attempts.find((attempt) => attempt !== undefined)
  if (failed === undefined) return
  // What was started for nothing does not stay behind.
  const unheeded = new AbortController().signal
  await Promise.allSettled(
    nodes.map(async (node) => await stopNode(node, { ...system, signal: unheeded })),
  )
  throw failed.thrown
}

/** A node counts as reachable when it has answered the grid's own client over the network. */
async function contactAll(practice: Practice, { clock, signal }: System): Promise<void> {
  await tellAddresses(practice)
  await using client = await openOwnClient(practice.client, signal, undefined, {
    withOwnHost: true,
  })
  const unreached = await Promise.all(
    client.membership.nodes.map(async ({ key, name }) => {
      try {
        await withDeadline(clock, CONTACT_TIMEOUT_MS, async (within) => {
          const either = AbortSignal.any([signal, within])
          await client.network.call(key, { op: 'hello' }, { signal: either })
        })
        return undefined
      } catch (thrown) {
        signal.throwIfAborted()
        return `${name} (${messageOf(thrown)})`
      }
    }),
  )
  const silent = unreached.filter((each) => each !== undefined)
  if (silent.length === 0) return
  throw new CliError({
    exit: EXIT.lost,
    code: 'too-few-nodes',
    message: `Of ${unreached.length} nodes, ${silent.length} run but do not answer: ${silent.join(', ')}.`,
  })
}

/** Who starts the nodes knows where they listen, and need not wait until they have found each other. */
async function tellAddresses({ client, nodes }: Practice): Promise<void> {
  const known = await readAddressFile(client.addresses)
  for (const { files } of nodes) {
    const running = await readRunning(files.running)
    const node = running === undefined ? undefined : parsePeerIdText(running.peerId)
    if (running !== undefined && node !== undefined) known.set(node, [...running.addresses])
  }
  await writeAddressFile(client.addresses, known)
}

const CONTACT_TIMEOUT_MS = 20_000

function refuseOtherSize(existing: Practice | undefined, wanted: number | undefined): void {
  if (existing === undefined || wanted === undefined || existing.nodes.length === wanted) return
  throw usageError(
    `The practice grid in ${existing.dir} has ${existing.nodes.length} nodes, not ${wanted}. ` +
      'Leave out --nodes to start it again, or choose another --dir for a new one.',
  )
}
