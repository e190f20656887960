import type { Connection, PeerId } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { scopeOf } from './addresses.ts'
import type { Internals } from './internals.ts'
import { ask, socketAddressOf } from './observer.ts'
import { bestPath, pathKindOf } from './path.ts'
import type { RouterHelper } from './router-type.ts'
import type { SocketAddress } from './stun.ts'

/** What a member that is reachable says of this host. */
interface Observation {
  readonly peer: PeerId
  readonly seen: SocketAddress
  readonly stun: SocketAddress | undefined
  /** How far our clock is ahead of its clock. */
  readonly clockAheadMs: number
}

/** How this host looks from outside, as members say that are reachable and connected. */
export class Observations {
  readonly #internals: Internals
  readonly #clock: Clock
  readonly #protocol: string
  readonly #observations = new Map<string, Observation>()

  constructor(options: { internals: Internals; clock: Clock; protocol: string }) {
    this.#internals = options.internals
    this.#clock = options.clock
    this.#protocol = options.protocol
  }

  /** Where members see this host. */
  seenHosts(): string[] {
    return [...new Set(this.current().map(({ seen }) => seen.host))]
  }

  /** Connections to members that see this host from the internet. */
  observers(): Connection[] {
    return this.current().map(({ observer }) => observer)
  }

  stunServers(): SocketAddress[] {
    return this.current().flatMap(({ stun }) => stun ?? [])
  }

  /** Members that help to find out about the router. */
  routerHelpers(): RouterHelper[] {
    return this.current().flatMap(({ observer, stun }) =>
      stun === undefined
        ? []
        : [
            {
              stun,
              sendDatagram: async (port: number, token: Uint8Array) => {
                const question = { kind: 'send-datagram', port, token } as const
                await ask<'send-datagram'>(observer, question, this.#asking())
              },
            },
          ],
    )
  }

  /** How far this machine's clock is ahead of each clock that was looked at. */
  clockDifferencesMs(): number[] {
    return this.current().map(({ clockAheadMs }) => clockAheadMs)
  }

  /** A peer has said what it offers. @returns whether this host is seen somewhere new */
  async identified(connection: Connection, protocols: readonly string[]): Promise<boolean> {
    if (!protocols.includes(this.#protocol) || pathKindOf(connection) !== 'direct') return false
    const observer = socketAddressOf(connection)
    const question = { kind: 'where-am-i' } as const
    const askedMs = this.#clock.nowMs()
    const answer = await ask<'where-am-i'>(connection, question, this.#asking())
    const { seen, stunPort } = answer
    const clockAheadMs = (askedMs + this.#clock.nowMs()) / 2 - answer.timeMs
    // Somebody in the same network sees an address that means nothing outside of it.
    if (scopeOf(seen.host) !== 'public') return false
    const isNews = !this.seenHosts().includes(seen.host)
    this.#observations.set(connection.remotePeer.toString(), {
      peer: connection.remotePeer,
      seen,
      stun: stunPort === undefined ? undefined : { host: observer.host, port: stunPort },
      clockAheadMs,
    })
    return isNews
  }

  /** Asks a member to connect to this host. */
  async dialBack(observer: Connection, port: number): Promise<{ reached: boolean }> {
    return await ask<'dial-back'>(observer, { kind: 'dial-back', port }, this.#asking())
  }

  clear(): void {
    this.#observations.clear()
  }

  /** What those say that are still there, each with a connection to ask it more. */
  current(): (Observation & { readonly observer: Connection })[] {
    return [...this.#observations.values()].flatMap((observation) => {
      const observer = bestPath(this.#internals.connectionManager.getConnections(observation.peer))
      return observer === undefined || pathKindOf(observer) !== 'direct'
        ? []
        : [{ ...observation, observer }]
    })
  }

  #asking(): { protocol: string; clock: Clock } {
    return { protocol: this.#protocol, clock: this.#clock }
  }
}
