import type { Connection, Transport } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { withDeadline } from '../deadline.ts'
import { multiaddr } from '../libp2p.ts'
import type { Internals } from './internals.ts'
import { WEBRTC_TIMEOUT_MS } from './limits.ts'
import type { SocketAddress } from './stun.ts'

/** WebRTC between members, arranged over a relayed connection, with ICE by members' own STUN. Loaded when first wanted. */
export class WebRtc {
  readonly #internals: Internals
  readonly #clock: Clock
  readonly #stunServers: () => readonly SocketAddress[]
  #loading: Promise<(Transport & { stop?(): Promise<void> }) | undefined> | undefined

  constructor(
    internals: Internals,
    options: { clock: Clock; stunServers: () => readonly SocketAddress[] },
  ) {
    this.#internals = internals
    this.#clock = options.clock
    this.#stunServers = options.stunServers
  }

  /** From now on members may ask for it. @returns whether this machine can */
  async ready(): Promise<boolean> {
    return (await this.#load()) !== undefined
  }

  /** @throws whatever goes wrong, and Error where this machine cannot */
  async connect(relayed: Connection): Promise<Connection> {
    const transport = await this.#load()
    if (transport === undefined) throw new Error('WebRTC is not available on this machine')
    if (this.#stunServers().length === 0)
      throw new Error('no member that is reachable answers STUN')
    const through = relayed.remoteAddr.toString().replace(/\/p2p\/[^/]+$/, '')
    const address = multiaddr(`${through}/webrtc/p2p/${relayed.remotePeer.toString()}`)
    const { upgrader } = this.#internals
    return await withDeadline(this.#clock, WEBRTC_TIMEOUT_MS, (signal) =>
      transport.dial(address, { upgrader, signal }),
    )
  }

  async stop(): Promise<void> {
    await (await this.#loading)?.stop?.()
  }

  async #load(): Promise<(Transport & { stop?(): Promise<void> }) | undefined> {
    return await (this.#loading ??= this.#open().catch(() => undefined))
  }

  async #open(): Promise<Transport & { stop?(): Promise<void> }> {
    const { webRTC } = await import('./webrtc-library.ts')
    const rtcConfiguration = (): { iceServers: { urls: string[] }[] } => ({
      iceServers: this.#stunServers()
        .slice(0, MAX_STUN_SERVERS)
        .map(({ host, port }) => ({
          urls: [`stun:${host.includes(':') ? `[${host}]` : host}:${port}`],
        })),
    })
    const transport = webRTC({ rtcConfiguration })(this.#internals) as Transport & {
      start(): Promise<void>
      stop(): Promise<void>
    }
    await transport.start()
    return transport
  }
}

/** One would do, and one may be away. */
const MAX_STUN_SERVERS = 3
