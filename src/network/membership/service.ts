import type { Connection, Stream } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { randomBelow, type Randomness } from '../../foundation/randomness.ts'
import { MalformedMessageError } from '../../protocol/cbor.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { withDeadline } from '../deadline.ts'
import { joinProtocol, membersProtocol, nodeKeyOfPeer, type Host } from '../host.ts'
import { Allowance } from './allowance.ts'
import { Bans } from './bans.ts'
import type { Conversation } from './conversation.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { exchange, give, type Learner } from './exchange.ts'
import type { Gate } from './gate.ts'
import { introduceSelf } from './introduction.ts'
import type { MembershipKeeper } from './keeper.ts'
import {
  CLIENT_EXCHANGES,
  EXCHANGE_INTERVAL_MS,
  EXCHANGE_TIMEOUT_MS,
  LAST_NEWS_TIMEOUT_MS,
  MAX_EXCHANGE_MESSAGE_BYTES,
  MAX_EXCHANGES_PER_PEER,
  MAX_STRANGER_STREAMS,
  SWEEP_INTERVAL_MS,
} from './limits.ts'
import type { JoinRefusal } from './messages.ts'
import { News } from './news.ts'
import { serveExchange, serveJoin } from './serving.ts'
import { isClosedToUs, openTalk, talkWithin } from './talk.ts'

export interface MembershipServiceOptions {
  readonly host: Host
  readonly gate: Gate
  readonly keeper: MembershipKeeper
  /** 32-byte Ed25519 seed of this device. */
  readonly identity: Uint8Array
  readonly clock: Clock
  readonly randomness: Randomness
  /** Nodes compare notes with every member that they dial, and pass on what is new. Clients ask a few. */
  readonly isNode: boolean
}

/**
 * Keeps what a host knows of the grid's members the same as everybody's, and acts on it at once: tells connected members
 * what is new, lets in who has an invite, cuts off who belongs no more.
 */
export class MembershipService implements AsyncDisposable {
  readonly #options: MembershipServiceOptions
  readonly #membership: Membership
  readonly #doorkeeper: Doorkeeper
  readonly #news: News
  readonly #exchanging = new Map<NodeKey, Promise<void>>()
  readonly #introducing = new Map<Connection, Promise<boolean>>()
  readonly #bans: Bans
  readonly #allowance: Allowance
  readonly #timers = new Set<() => void>()
  #exchangesLeft: number
  /** Who says what is being added just now. */
  #hearing: NodeKey | undefined
  #stopListening: (() => void) | undefined
  #refusal: JoinRefusal | undefined
  #closed = false

  constructor(options: MembershipServiceOptions) {
    const { keeper, identity, clock, isNode } = options
    this.#options = options
    this.#membership = keeper.membership
    this.#doorkeeper = new Doorkeeper(keeper, identity)
    this.#bans = new Bans(clock)
    this.#allowance = new Allowance(clock)
    this.#exchangesLeft = isNode ? Infinity : CLIENT_EXCHANGES
    this.#news = new News({
      clock,
      passesOn: isNode,
      connections: () => this.#memberConnections(),
      tell: async (node, connection, statements) => {
        await this.#talk(node, connection, async (talk) => await give(talk, statements))
      },
    })
  }

  /** What a member last said when it took this device for a stranger and was not convinced. */
  get refusal(): JoinRefusal | undefined {
    return this.#refusal
  }

  async start(): Promise<void> {
    const { host } = this.#options
    const { gridId } = this.#membership
    await host.handle(
      membersProtocol(gridId),
      (stream, connection) => void this.#serveExchange(stream, connection),
      { maxInboundStreams: MAX_EXCHANGES_PER_PEER, runOnLimitedConnection: true },
    )
    await host.handle(
      joinProtocol(gridId),
      (stream, connection) => void this.#serveJoin(stream, connection),
      { maxInboundStreams: MAX_STRANGER_STREAMS, runOnLimitedConnection: true },
    )
    host.addEventListener('connection:open', ({ detail }) => {
      if (detail.direction === 'outbound') void this.#greet(detail)
    })
    this.#stopListening = this.#membership.onChange(({ added, membersChanged }) => {
      this.#news.add(added, this.#hearing)
      if (membersChanged) this.#enforce()
    })
    this.#every(EXCHANGE_INTERVAL_MS, () => void this.#exchangeWithAny())
    // Some memberships end by themselves, at a time that was agreed.
    this.#every(SWEEP_INTERVAL_MS, () => {
      this.#enforce()
      this.#allowance.forget()
    })
  }

  /**
   * Shows a member that takes this device for a stranger why it is none.
   * @returns whether it was convinced
   */
  async introduce(connection: Connection): Promise<boolean> {
    // An exchange and a request may both find out at once that we are not known there.
    const underway = this.#introducing.get(connection)
    if (underway !== undefined) return await underway
    const introducing = this.#introduceOver(connection).finally(() => {
      this.#introducing.delete(connection)
    })
    this.#introducing.set(connection, introducing)
    return await introducing
  }

  async #introduceOver(connection: Connection): Promise<boolean> {
    const { keeper, identity, clock } = this.#options
    const reply = await introduceSelf(connection, { membership: this.#membership, identity, clock })
    if (reply.kind === 'refusal') {
      this.#refusal = reply
      await keeper.learn(reply.evidence)
      return false
    }
    this.#refusal = undefined
    this.#identify(connection)
    return true
  }

  /** What a peer speaks and where it listens is not told to strangers, so it is asked when they are none any more. */
  #identify(connection: Connection): void {
    // If the peer is gone, there is nothing to know.
    this.#options.host.services.identify.identify(connection).catch(() => undefined)
  }

  /** Resolves once the exchanges that are under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#exchanging.values())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#stopListening?.()
    for (const cancel of this.#timers) cancel()
    // Whoever is frozen must not hold up the end; it is told when it asks.
    await withDeadline(this.#options.clock, LAST_NEWS_TIMEOUT_MS, async () => {
      await this.#news.flush()
    }).catch(() => undefined)
    // What cannot be saved was acknowledged to nobody.
    await this.#options.keeper.saved().catch(() => undefined)
  }

  #every(intervalMs: number, action: () => void): void {
    const cancel = this.#options.clock.after(intervalMs, () => {
      this.#timers.delete(cancel)
      action()
      if (!this.#closed) this.#every(intervalMs, action)
    })
    this.#timers.add(cancel)
  }

  /** Compares notes with a member that was just dialled. */
  async #greet(connection: Connection): Promise<void> {
    const node = nodeKeyOfPeer(connection.remotePeer)
    if (node === undefined || this.#exchangesLeft <= 0) return
    this.#exchangesLeft--
    await this.#exchangeOver(connection, node)
  }

  async #exchangeWithAny(): Promise<void> {
    const connections = [...this.#memberConnections()]
    if (connections.length === 0) return
    const [node, connection] =
      connections[randomBelow(this.#options.randomness, connections.length)] ?? []
    if (node !== undefined && connection !== undefined) await this.#exchangeOver(connection, node)
  }

  async #exchangeOver(connection: Connection, node: NodeKey): Promise<void> {
    const underway = this.#exchanging.get(node)
    if (underway !== undefined) return await underway
    const exchanging = this.#talk(node, connection, async (talk) => {
      await exchange(talk, this.#learnerFrom(node))
    }).finally(() => this.#exchanging.delete(node))
    this.#exchanging.set(node, exchanging)
    await exchanging
  }

  /** Talks with a member. Never rejects: whoever is away or refuses is told another time. */
  async #talk(
    node: NodeKey,
    connection: Connection,
    talking: (talk: Conversation) => Promise<void>,
  ): Promise<void> {
    if (this.#bans.has(node)) return
    try {
      const talk = await this.#openTalk(connection)
      if (talk === undefined) return
      const limits = { limitMs: EXCHANGE_TIMEOUT_MS, clock: this.#options.clock }
      await talkWithin(talk, limits, async () => await talking(talk))
    } catch (error) {
      if (error instanceof MalformedMessageError) this.#ban(node, error)
    }
  }

  async #openTalk(connection: Connection): Promise<Conversation | undefined> {
    const options = {
      protocol: membersProtocol(this.#membership.gridId),
      maxMessageBytes: MAX_EXCHANGE_MESSAGE_BYTES,
      clock: this.#options.clock,
    }
    try {
      return await openTalk(connection, options)
    } catch (error) {
      if (!isClosedToUs(error)) throw error
    }
    return (await this.introduce(connection)) ? await openTalk(connection, options) : undefined
  }

  async #serveExchange(stream: Stream, { remotePeer }: Connection): Promise<void> {
    const caller = nodeKeyOfPeer(remotePeer)
    const isWelcome = caller !== undefined && this.#membership.isMember(caller)
    if (!isWelcome || this.#closed || this.#bans.has(caller)) {
      stream.abort(new Error('not served'))
      return
    }
    const { clock } = this.#options
    const pace = async (): Promise<void> => {
      await this.#allowance.wait(caller)
    }
    const flaw = await serveExchange(stream, { learner: this.#learnerFrom(caller), pace, clock })
    if (flaw !== undefined) this.#ban(caller, flaw)
  }

  async #serveJoin(stream: Stream, connection: Connection): Promise<void> {
    const caller = nodeKeyOfPeer(connection.remotePeer)
    if (caller === undefined || this.#closed) {
      stream.abort(new Error('not served'))
      return
    }
    const { clock } = this.#options
    const flaw = await serveJoin(stream, { caller, doorkeeper: this.#doorkeeper, clock })
    if (flaw !== undefined) connection.abort(flaw)
  }

  #learnerFrom(node: NodeKey): Learner {
    return {
      membership: this.#membership,
      learn: async (statements) => {
        this.#hearing = node
        // It adds them, and listeners hear of it, before it waits for the disk; what is added during that is not theirs.
        const learning = this.#options.keeper.learn(statements)
        this.#hearing = undefined
        return await learning
      },
    }
  }

  /** Makes connections what the membership says: strangers that came in may stay, members that went are cut off. */
  #enforce(): void {
    const { host, gate } = this.#options
    for (const connection of host.getConnections()) {
      const node = nodeKeyOfPeer(connection.remotePeer)
      const isMember = node !== undefined && this.#membership.isMember(node)
      if (!gate.isOnProbation(connection)) {
        if (!isMember) connection.abort(new Error('it does not belong to this grid'))
      } else if (isMember) {
        gate.release(connection)
        this.#identify(connection)
      }
    }
  }

  #memberConnections(): Map<NodeKey, Connection> {
    const connections = new Map<NodeKey, Connection>()
    for (const connection of this.#options.host.getConnections()) {
      const node = nodeKeyOfPeer(connection.remotePeer)
      if (node === undefined || connection.status !== 'open') continue
      if (this.#membership.isMember(node)) connections.set(node, connection)
    }
    return connections
  }

  #ban(node: NodeKey, why: Error): void {
    this.#bans.add(node)
    for (const connection of this.#options.host.getConnections()) {
      if (nodeKeyOfPeer(connection.remotePeer) === node) connection.abort(why)
    }
  }
}
