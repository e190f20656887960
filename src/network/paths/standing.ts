import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import {
  announcedAddresses,
  parseAddress,
  scopeOf,
  tcpAddress,
  type KnownAddress,
} from './addresses.ts'
import type { Internals } from './internals.ts'
import { RECHECK_INTERVAL_MS, WANTED_RELAYS } from './limits.ts'
import { Observations } from './observations.ts'
import { Observer, socketAddressOf } from './observer.ts'
import { pathKindOf } from './path.ts'
import { PortMapper, type MappingState } from './port-mapping.ts'
import { judgeReachability, type Reachability } from './reachability.ts'
import { offersRelay, RelayServer, type RelayUser } from './relay.ts'
import { StunServer, type SocketAddress } from './stun.ts'

/** What an operator may say about how a host is reached; it finds out the rest. */
export interface StandingOptions {
  readonly reachable: 'auto' | 'yes' | 'no'
  /** Whether to ask the router to forward the port. */
  readonly portMapping: boolean
  /** Further multiaddrs at which it is reached: a name, or a port that a router was told to forward. */
  readonly announce: readonly string[]
}

interface DialedBack {
  readonly found: 'reached' | 'not-reached'
  /** Where it was reached. */
  readonly address: SocketAddress | undefined
}

/**
 * How this host stands on the internet: whether others reach it, where, and what it does for others in consequence. One
 * that is reachable relays, observes and answers STUN; one that is not keeps places at relays.
 */
export class Standing {
  readonly #internals: Internals
  readonly #clock: Clock
  readonly #options: StandingOptions
  readonly #relays: RelayUser
  readonly #server = new RelayServer()
  readonly #observer: Observer
  /** What members that are reachable say of this host. */
  readonly observations: Observations
  readonly #changed: () => void
  #stun: StunServer | undefined
  #mapper: PortMapper | undefined
  #wasReached = false
  #dialedBack: DialedBack | undefined
  #checkedMs: number | undefined
  #announced = ''
  #stopped = false
  #applying: Promise<void> = Promise.resolve()

  constructor(options: {
    internals: Internals
    clock: Clock
    standing: StandingOptions
    observeProtocol: string
    relays: RelayUser
    isMember: (connection: Connection) => boolean
    /** Called when addresses, reachability or what others see of this host has changed. */
    onChange: () => void
  }) {
    this.#internals = options.internals
    this.#clock = options.clock
    this.#options = options.standing
    this.#relays = options.relays
    this.#changed = options.onChange
    this.observations = new Observations({ ...options, protocol: options.observeProtocol })
    this.#observer = new Observer({
      protocol: options.observeProtocol,
      internals: options.internals,
      clock: options.clock,
      isMember: options.isMember,
      stunPort: () => this.#stunPort(),
    })
  }

  /** Whether it listens where other machines could reach it at all. */
  get listensBeyondLoopback(): boolean {
    return this.listening !== undefined
  }

  get reachability(): Reachability {
    const listening = this.listening
    return judgeReachability({
      configured: listening === undefined ? 'no' : this.#options.reachable,
      hasPublicAddress: listening?.isPublic === true,
      isMapped: this.mapping.kind === 'mapped',
      wasReached: this.#wasReached,
      dialedBack: this.#dialedBack?.found,
    })
  }

  get mapping(): MappingState {
    return this.#mapper?.state ?? { kind: 'off' }
  }

  get serves(): { relay: boolean; stunPort: number | undefined } {
    return { relay: this.#server.running, stunPort: this.#stunPort() }
  }

  /** Addresses to announce besides those that libp2p knows. */
  extraAddresses(): string[] {
    const { mapping } = this
    const mapped = mapping.kind === 'mapped' ? mapping.external : undefined
    const found = [mapped, this.#dialedBack?.address].filter((address) => address !== undefined)
    return [
      ...this.#options.announce,
      ...found.map(({ host, port }) => tcpAddress(host, port)),
      // libp2p keeps its own public ones back until somebody has confirmed them.
      ...(this.reachability.reachable
        ? this.#own()
            .filter(isPublic)
            .map(({ text }) => text)
        : []),
    ]
  }

  async start(): Promise<void> {
    const listening = this.listening
    if (listening === undefined) return
    if (this.#options.portMapping && this.#options.reachable === 'auto' && !listening.isPublic) {
      this.#mapper = new PortMapper(
        { host: listening.host, port: listening.port },
        { clock: this.#clock, onChange: () => void this.#remapped() },
      )
      this.#mapper.start()
    }
    await this.#apply()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#stun?.[Symbol.dispose]()
    await this.#mapper?.stop()
  }

  /** A peer has said what it offers. */
  async identified(connection: Connection, protocols: readonly string[]): Promise<void> {
    const isNews = await this.observations.identified(connection, protocols)
    if (!isNews) return
    this.#changed()
    if (this.listensBeyondLoopback) await this.#check()
  }

  /** Somebody has connected to this host. */
  async accepted(connection: Connection): Promise<void> {
    if (this.#wasReached || connection.direction !== 'inbound') return
    if (pathKindOf(connection) !== 'direct') return
    if (scopeOf(socketAddressOf(connection).host) !== 'public') return
    this.#wasReached = true
    await this.#apply()
  }

  /** Looks after what changes without a word: addresses of this machine, and places at relays. */
  async upkeep(): Promise<void> {
    if (!this.listensBeyondLoopback) return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - (this.#checkedMs ?? nowMs) > RECHECK_INTERVAL_MS) await this.#check()
    await this.#apply()
    if (this.reachability.reachable) return
    await this.#relays.fill(this.#internals.connectionManager.getConnections(), (peer) =>
      offersRelay(this.#internals, peer),
    )
  }

  /** Nothing that was found out about this host need hold any longer: it has moved. */
  forget(): void {
    this.#wasReached = false
    this.#dialedBack = undefined
    this.observations.clear()
  }

  /** What was found out by way of the old forwarding says nothing about the new one. */
  async #remapped(): Promise<void> {
    this.#wasReached = false
    this.#dialedBack = undefined
    await this.#check()
  }

  /** Has members that see this host from outside try whether they reach it. */
  async #check(): Promise<void> {
    const listening = this.listening
    if (this.#stopped || listening === undefined) return
    this.#checkedMs = this.#clock.monotonicMs()
    const ports = [this.#mappedPort(), listening.port].filter((port) => port !== undefined)
    let found: DialedBack | undefined
    for (const { observer, seen } of this.observations.current().slice(0, MAX_CHECKERS)) {
      for (const port of new Set(ports)) {
        try {
          const { reached } = await this.observations.dialBack(observer, port)
          if (reached) found = { found: 'reached', address: { host: seen.host, port } }
          else found ??= { found: 'not-reached', address: undefined }
        } catch {
          // It is busy or gone, which says nothing about this host.
        }
        if (found?.found === 'reached') break
      }
      if (found?.found === 'reached') break
    }
    if (found !== undefined) this.#dialedBack = found
    await this.#apply()
  }

  /** Does what follows from how the host stands, one change at a time. */
  async #apply(): Promise<void> {
    this.#applying = this.#applying.then(() => this.#applyNow()).catch(() => undefined)
    await this.#applying
  }

  async #applyNow(): Promise<void> {
    const listening = this.listening
    if (this.#stopped || listening === undefined) return
    const { reachable } = this.reachability
    if (reachable) {
      this.#stun ??= await StunServer.listen(listening.port, this.#clock)
      await this.#server.start(this.#internals)
      await this.#observer.start()
    } else {
      await this.#observer.stop()
      await this.#server.stop()
      this.#stun?.[Symbol.dispose]()
      this.#stun = undefined
      await this.#relays.listen(this.#internals, WANTED_RELAYS)
    }
    await this.#announce()
  }

  /** Tells peers, by way of identify, when the addresses are others than before. */
  async #announce(): Promise<void> {
    const { addressManager, peerStore, peerId } = this.#internals
    const suffix = `/p2p/${peerId.toString()}`
    const addresses = addressManager.getAddresses().map((address) => address.decapsulate(suffix))
    const announced = addresses.map(String).join(' ')
    if (announced === this.#announced) return
    const isFirst = this.#announced === ''
    this.#announced = announced
    await peerStore.patch(peerId, { multiaddrs: addresses })
    if (!isFirst) this.#changed()
  }

  #mappedPort(): number | undefined {
    const { mapping } = this
    return mapping.kind === 'mapped' ? mapping.external.port : undefined
  }

  #stunPort(): number | undefined {
    if (this.#stun === undefined) return undefined
    const { mapping } = this
    if (mapping.kind !== 'mapped') return this.#stun.port
    return mapping.udp ? mapping.external.port : undefined
  }

  /** The address that matters most of those it listens at; undefined if it listens at none that others could reach. */
  get listening(): { host: string; port: number; isPublic: boolean } | undefined {
    const own = this.#own()
    const best = own.find(isPublic) ?? own[0]
    if (best === undefined) return undefined
    return { host: best.host, port: best.port, isPublic: isPublic(best) }
  }

  /** Where it listens, but for loopback. */
  #own(): KnownAddress[] {
    return this.#internals.transportManager
      .getAddrs()
      .map((address) => parseAddress(address.toString()))
      .filter((address) => address !== undefined)
      .filter(({ kind, scope }) => kind === 'direct' && scope !== 'loopback')
  }
}

function isPublic({ scope }: KnownAddress): boolean {
  return scope === 'public'
}

/** Members that are asked to connect to this host. */
const MAX_CHECKERS = 2

/** What libp2p is to announce of its addresses. */
export function announceFilter(
  own: readonly string[],
  standing: Standing | undefined,
  max: number,
): string[] {
  return announcedAddresses(own, {
    extra: standing?.extraAddresses() ?? [],
    isReachable: standing?.reachability.reachable ?? false,
    max,
  })
}
