import { linkSignals } from '../../foundation/abort.ts'
import type { Clock } from '../../foundation/clock.ts'
import { Semaphore } from '../../foundation/concurrency.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { untilAborted, withDeadline } from '../deadline.ts'
import { dialAddresses, membersProtocol, startHost, type Host } from '../host.ts'
import { nodeOfAddress } from '../identity.ts'
import { DIAL_TIMEOUT_MS } from '../limits.ts'
import { GridUnreachableError, JoinRefusedError } from './errors.ts'
import { exchange } from './exchange.ts'
import { Gate } from './gate.ts'
import { askDoor } from './introduction.ts'
import type { MembershipKeeper } from './keeper.ts'
import { EXCHANGE_TIMEOUT_MS, MAX_EXCHANGE_MESSAGE_BYTES } from './limits.ts'
import type { JoinRefusal, JoinRequest } from './messages.ts'
import { openTalk, talkWithin } from './talk.ts'

export interface JoinOptions {
  /** 32-byte Ed25519 seed of the device that joins. */
  readonly identity: Uint8Array
  /** Knows nothing yet; in the end, what the member that let us in knows. */
  readonly keeper: MembershipKeeper
  /** Multiaddrs of members, each ending in its peer id. */
  readonly addresses: readonly string[]
  readonly request: Exclude<JoinRequest, { kind: 'hello' }>
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Joins a grid through whichever of its members answers first. May be repeated: who is in is let in again.
 *
 * @returns the member that let us in, and the address at which it was reached
 * @throws JoinRefusedError a member answered and refused; GridUnreachableError none answered
 */
export async function joinGrid(options: JoinOptions): Promise<{ node: NodeKey; address: string }> {
  const doors = doorsOf(options.addresses)
  const { membership } = options.keeper
  const gate = new Gate({
    isMember: (key) => doors.has(key) || membership.isMember(key),
    joinProtocol: undefined,
    clock: options.clock,
  })
  const { identity, signal } = options
  const host = await startHost({
    identity,
    gridId: membership.gridId,
    listen: [],
    gate,
    clock: options.clock,
    servesDht: false,
  })
  try {
    return await untilAborted(knock(host, doors, options), signal)
  } finally {
    gate.close()
    for (const connection of host.getConnections()) connection.abort(new Error('done'))
    await host.stop()
  }
}

function doorsOf(addresses: readonly string[]): Map<NodeKey, string[]> {
  const doors = new Map<NodeKey, string[]>()
  for (const address of addresses) {
    const node = nodeOfAddress(address)
    if (node !== undefined) doors.set(node, [...(doors.get(node) ?? []), address])
  }
  return doors
}

/** Dials all, and asks one after the other in the order in which they answer, so that one admission is made. */
async function knock(
  host: Host,
  doors: ReadonlyMap<NodeKey, readonly string[]>,
  options: JoinOptions,
): Promise<{ node: NodeKey; address: string }> {
  const turn = new Semaphore(1)
  using done = linkSignals(options.signal)
  let refused: JoinRefusal | undefined
  let answered = false
  const attempts = [...doors].map(async ([node, addresses]) => {
    const dialling = withDeadline(options.clock, DIAL_TIMEOUT_MS, (signal) =>
      dialAddresses(host, addresses, signal),
    )
    const connection = await untilAborted(dialling, done.signal)
    answered = true
    const leave = await turn.acquire()
    try {
      done.signal.throwIfAborted()
      const reply = await enter(connection, options)
      if (reply.kind === 'welcome') {
        // Before the next one has its turn.
        done.abort(new Error('another member has let us in'))
        return { node, address: connection.remoteAddr.toString() }
      }
      const saysLittle = SAYS_LITTLE.has(reply.reason)
      if (!saysLittle) done.abort(new Error('a member has refused us'))
      if (!saysLittle || refused === undefined) refused = reply
      throw new JoinRefusedError(reply)
    } finally {
      leave()
    }
  })
  try {
    return await Promise.any(attempts)
  } catch (cause) {
    options.signal.throwIfAborted()
    if (refused !== undefined) throw new JoinRefusedError(refused)
    throw new GridUnreachableError({ tried: options.addresses, answered }, { cause })
  } finally {
    done.abort(new Error('it is decided'))
  }
}

/** Another member may be able to let us in where one says this. What else one says, the others would say too. */
const SAYS_LITTLE: ReadonlySet<JoinRefusal['reason']> = new Set([
  'unknown',
  'failed',
  'leaving',
  'full',
])

async function enter(
  connection: Awaited<ReturnType<typeof dialAddresses>>,
  { keeper, request, clock }: JoinOptions,
): Promise<{ kind: 'welcome' } | JoinRefusal> {
  const { gridId } = keeper.membership
  const reply = await askDoor(connection, request, { gridId, clock })
  if (reply.kind === 'refusal') return reply
  if (reply.kind === 'greeting') throw new Error('it did not answer the question')
  const talk = await openTalk(connection, {
    protocol: membersProtocol(gridId),
    maxMessageBytes: MAX_EXCHANGE_MESSAGE_BYTES,
    clock,
  })
  await talkWithin(talk, { limitMs: EXCHANGE_TIMEOUT_MS, clock }, async () => {
    await exchange(talk, {
      membership: keeper.membership,
      learn: async (statements) => await keeper.learn(statements),
    })
  })
  return reply
}
