import type { Connection, PeerId } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { sleep } from '../../foundation/clock.ts'
import type { Internals } from './internals.ts'
import {
  FIRST_RETRY_MS,
  MAX_RETRY_MS,
  PUNCH_ATTEMPTS,
  SUPERSEDED_MS,
  WEBRTC_DELAY_MS,
} from './limits.ts'
import { bestPath, pathKindOf, pathsOf, rankOfPath } from './path.ts'
import type { Puncher } from './punch.ts'
import type { WebRtc } from './webrtc.ts'

interface Retry {
  readonly atMs: number
  readonly delayMs: number
}

/** Looks for a better path to every peer that is reached through a relay, and takes worse ones down when nobody is left on them. */
export class Upgrades {
  readonly #internals: Internals
  readonly #clock: Clock
  readonly #puncher: Puncher
  readonly #webRtc: WebRtc
  /** Dials the peer's own addresses: one may have become reachable. */
  readonly #dialDirect: (connection: Connection) => Promise<unknown>
  readonly #onSuperseded: (peer: PeerId) => void
  readonly #underway = new Set<string>()
  readonly #retries = new Map<string, Retry>()
  readonly #stopped = new AbortController()

  constructor(options: {
    internals: Internals
    clock: Clock
    puncher: Puncher
    webRtc: WebRtc
    dialDirect: (connection: Connection) => Promise<unknown>
    /** Something still holds on to a path to the peer that a better one has replaced, and should let go of it. */
    onSuperseded: (peer: PeerId) => void
  }) {
    this.#internals = options.internals
    this.#clock = options.clock
    this.#puncher = options.puncher
    this.#webRtc = options.webRtc
    this.#dialDirect = options.dialDirect
    this.#onSuperseded = options.onSuperseded
  }

  stop(): void {
    this.#stopped.abort(new Error('stopped'))
  }

  /** There is a connection through a relay. Whoever made it looks for a better one; the other side gets ready. */
  opened(relayed: Connection): void {
    if (relayed.direction === 'inbound') {
      // Only if it lasts: a short visit is not worth a hundred milliseconds of loading.
      void this.#afterwards(WEBRTC_DELAY_MS / 2, async () => {
        if (this.#isNeeded(relayed)) await this.#webRtc.ready()
      })
      return
    }
    const peer = relayed.remotePeer.toString()
    const waiting = this.#retries.get(peer)
    if (waiting !== undefined && waiting.atMs > this.#clock.monotonicMs()) return
    void this.#improve(relayed)
  }

  /** The network around this host has changed: what was in vain before may work now. */
  startAfresh(): void {
    this.#retries.clear()
    this.retry()
  }

  /** Tries again where it is time to. */
  retry(): void {
    for (const path of this.#bestPaths())
      if (pathKindOf(path) === 'webrtc') void this.#goDirect(path)
    for (const relayed of this.#relayedOnly()) {
      const peer = relayed.remotePeer.toString()
      const waiting = this.#retries.get(peer)
      if (relayed.direction === 'inbound') continue
      if (waiting !== undefined && waiting.atMs > this.#clock.monotonicMs()) continue
      void this.#improve(relayed)
    }
  }

  /** Whether a better path to the peer is being looked for just now. */
  isImproving(peer: PeerId): boolean {
    if (!this.#underway.has(peer.toString())) return false
    const best = bestPath(this.#internals.connectionManager.getConnections(peer))
    return best !== undefined && pathKindOf(best) === 'relayed'
  }

  /** Closes paths that a better one has replaced and that carry nothing any more. */
  sweep(): void {
    for (const connections of this.#byPeer().values()) {
      const [best, ...others] = pathsOf(connections)
      if (best === undefined || this.#clock.nowMs() - best.timeline.open < SUPERSEDED_MS) continue
      for (const worse of others) {
        if (rankOfPath(worse) <= rankOfPath(best)) continue
        if (worse.streams.length === 0) worse.close().catch(() => undefined)
        else this.#onSuperseded(worse.remotePeer)
      }
    }
  }

  async #improve(relayed: Connection): Promise<void> {
    const peer = relayed.remotePeer.toString()
    if (this.#underway.has(peer)) return
    this.#underway.add(peer)
    try {
      const retried = this.#retries.has(peer)
      if (retried) await this.#dialDirect(relayed).catch(() => undefined)
      const punching = this.#punch(relayed)
      // It may fail while nobody waits for it.
      punching.catch(() => undefined)
      await Promise.race([punching, sleep(this.#clock, WEBRTC_DELAY_MS, this.#stopped.signal)])
      if (this.#isNeeded(relayed)) await this.#webRtc.connect(relayed).catch(() => undefined)
      await punching
      if (this.#isNeeded(relayed)) this.#tryLater(peer)
      else this.#retries.delete(peer)
    } catch {
      // Stopped.
    } finally {
      this.#underway.delete(peer)
    }
  }

  async #punch(relayed: Connection): Promise<void> {
    for (let attempt = 0; attempt < PUNCH_ATTEMPTS && this.#isNeeded(relayed); attempt++) {
      try {
        await this.#puncher.punch(relayed)
        return
      } catch {
        await sleep(this.#clock, BETWEEN_PUNCHES_MS, this.#stopped.signal)
      }
    }
  }

  #tryLater(peer: string): void {
    const before = this.#retries.get(peer)?.delayMs
    const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(2 * before, MAX_RETRY_MS)
    this.#retries.set(peer, { delayMs, atMs: this.#clock.monotonicMs() + delayMs })
  }

  /** Whether the peer is still there, and through a relay only. */
  #isNeeded(relayed: Connection): boolean {
    if (this.#stopped.signal.aborted || relayed.status !== 'open') return false
    const best = bestPath(this.#internals.connectionManager.getConnections(relayed.remotePeer))
    return best !== undefined && pathKindOf(best) === 'relayed'
  }

  /** WebRTC serves, but is slow: a peer that can be dialled by now is better dialled. */
  async #goDirect(path: Connection): Promise<void> {
    const peer = path.remotePeer.toString()
    const waiting = this.#retries.get(peer)
    const isTooSoon = waiting !== undefined && waiting.atMs > this.#clock.monotonicMs()
    if (isTooSoon || this.#underway.has(peer)) return
    this.#underway.add(peer)
    this.#tryLater(peer)
    await this.#dialDirect(path).catch(() => undefined)
    this.#underway.delete(peer)
  }

  #relayedOnly(): Connection[] {
    return this.#bestPaths().filter((path) => pathKindOf(path) === 'relayed')
  }

  #bestPaths(): Connection[] {
    return [...this.#byPeer().values()].map(bestPath).filter((best) => best !== undefined)
  }

  #byPeer(): Map<string, Connection[]> {
    const groups = new Map<string, Connection[]>()
    for (const connection of this.#internals.connectionManager.getConnections()) {
      const peer = connection.remotePeer.toString()
      groups.set(peer, [...(groups.get(peer) ?? []), connection])
    }
    return groups
  }

  async #afterwards(delayMs: number, work: () => Promise<void>): Promise<void> {
    try {
      await sleep(this.#clock, delayMs, this.#stopped.signal)
      await work()
    } catch {
      // Stopped, or there is no WebRTC here.
    }
  }
}

/** Long enough for the routers to forget nothing and the peers to be done with the attempt before. */
const BETWEEN_PUNCHES_MS = 300
