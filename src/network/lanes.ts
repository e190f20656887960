import type { Connection, Stream } from '@libp2p/interface'
import { messageOf } from '../foundation/error.ts'
import type { Clock } from '../foundation/clock.ts'
import type { Op, ReplyOf, Request, RequestOf } from '../protocol/messages.ts'
import { UnreachableError, type CallOptions } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { Bandwidth } from './bandwidth.ts'
import type { Connector } from './connector.ts'
import { untilAborted, withDeadline } from './deadline.ts'
import { openConnectionTo, type Host } from './host.ts'
import { Lane, laneOf, mayRepeat, type LaneKind } from './lane.ts'
import { OPEN_STREAM_TIMEOUT_MS } from './limits.ts'
import { rankOfPath } from './paths/path.ts'

export interface LanesOptions {
  readonly host: Host
  readonly clock: Clock
  readonly connector: Connector
  readonly bandwidth: Bandwidth
  /** Name of the storage protocol. */
  readonly protocol: string
  readonly isMember: (node: NodeKey) => boolean
  /** Asked when a node does not let this device in. @returns whether it should by now */
  readonly introduce: (connection: Connection, refused: unknown) => Promise<boolean>
}

/** The lanes to all nodes that are called, each over the best connection there is. */
export class Lanes {
  readonly #options: LanesOptions
  readonly #lanes = new Map<string, OpenLane>()
  readonly #opening = new Map<string, Promise<OpenLane>>()
  #closed: string | undefined

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /**
   * Where the path goes while a reply is on its way, what may be sent again is, once, by the next path: a relay ends, or an
   * address changes, and the node is there all the same.
   *
   * @throws UnreachableError, RefusedError, or the signal's reason
   */
  async call<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    { signal, expectShort = false }: CallOptions = {},
  ): Promise<ReplyOf<O>> {
    const kind = this.#kindFor(node, request, expectShort)
    const lane = await this.#laneTo(node, kind, signal)
    try {
      return await lane.call<O>(request, signal)
    } catch (error) {
      const isOver = signal?.aborted === true || this.#closed !== undefined
      if (!lane.isLost || isOver || !mayRepeat(request)) throw error
      const next = await this.#laneTo(node, kind, signal).catch(() => undefined)
      if (next === undefined) throw error
      return await next.call<O>(request, signal)
    }
  }

  async #laneTo(node: NodeKey, kind: LaneKind, signal: AbortSignal | undefined): Promise<Lane> {
    let lane = this.#lanes.get(laneName(node, kind))?.lane
    // Twice at most: a lane that has just been opened may have been replaced by a better one already.
    for (let attempt = 0; attempt < 2 && lane?.open !== true; attempt++) {
      lane = (await untilAborted(this.#open(node, kind), signal)).lane
    }
    if (lane === undefined) throw new UnreachableError(node, 'no lane to it was opened')
    return lane
  }

  /** To open a second stream for what will be short takes a round trip, and more time than the reply itself. */
  #kindFor(node: NodeKey, request: Request, expectShort: boolean): LaneKind {
    const kind = laneOf(request)
    if (kind === 'small' || !expectShort) return kind
    return this.#lanes.get(laneName(node, kind))?.lane.open === true ? kind : 'small'
  }

  /**
   * If there is a better connection to the node than the one that its calls take, they take it from now on, and none is
   * lost. A lane that is just being opened may be over the worse one too: its turn comes when paths are next looked at.
   */
  async move(node: NodeKey): Promise<void> {
    for (const kind of ['small', 'bulk'] as const) {
      const name = laneName(node, kind)
      const before = this.#lanes.get(name)
      const best = openConnectionTo(this.#options.host, node)
      if (before?.lane.open !== true || best === undefined || this.#opening.has(name)) continue
      if (rankOfPath(best) >= rankOfPath(before.connection)) continue
      try {
        await this.#open(node, kind)
      } catch {
        // The new one is not what it seemed; the old one goes on.
        this.#lanes.set(name, before)
        continue
      }
      before.lane.retire()
    }
  }

  close(why: string): void {
    this.#closed = why
    for (const { lane } of this.#lanes.values()) lane.close(why)
  }

  async #open(node: NodeKey, kind: LaneKind): Promise<OpenLane> {
    if (this.#closed !== undefined) throw new UnreachableError(node, this.#closed)
    if (!this.#options.isMember(node)) {
      throw new UnreachableError(node, 'it does not belong to this grid')
    }
    const name = laneName(node, kind)
    const underway = this.#opening.get(name)
    if (underway !== undefined) return await underway
    const opening = this.#openAnew(node, name).finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return await opening
  }

  async #openAnew(node: NodeKey, name: string): Promise<OpenLane> {
    const { connection, stream } = await this.#streamTo(node)
    const lane = new Lane(node, stream, this.#options.bandwidth.of(node))
    if (this.#closed !== undefined) lane.close(this.#closed)
    const opened = { lane, connection }
    this.#lanes.set(name, opened)
    return opened
  }

  async #streamTo(
    node: NodeKey,
    { isAgain = false } = {},
  ): Promise<{ readonly connection: Connection; readonly stream: Stream }> {
    const { connector } = this.#options
    const connection = await connector.connect(node)
    try {
      return { connection, stream: await this.#openStream(connection) }
    } catch (cause) {
      // A connection on which nothing can be asked is as good as dead, and the next call should not find it again.
      connection.abort(new Error('the peer does not answer'))
      // One that had ended before anything was asked says nothing of the node: it was open for as long as nobody looked.
      if (isOver(cause) && !isAgain) return await this.#streamTo(node, { isAgain: true })
      const error = new UnreachableError(node, messageOf(cause), { cause })
      connector.failed(node, error)
      throw error
    }
  }

  async #openStream(connection: Connection): Promise<Stream> {
    const { clock, protocol, introduce } = this.#options
    const open = async (): Promise<Stream> =>
      await withDeadline(clock, OPEN_STREAM_TIMEOUT_MS, (signal) =>
        connection.newStream([protocol], { signal, runOnLimitedConnection: true }),
      )
    try {
      return await open()
    } catch (cause) {
      // It may not have heard of us yet.
      if (await introduce(connection, cause)) return await open()
      throw cause
    }
  }
}

/** Whether a stream could not be opened because its connection has ended. */
function isOver(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'ConnectionClosedError'
}

interface OpenLane {
  readonly lane: Lane
  readonly connection: Connection
}

function laneName(node: NodeKey, kind: LaneKind): string {
  return `${kind} ${node}`
}
