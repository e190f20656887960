import { readFile } from 'node:fs/promises'
import type { Gateway } from '@achingbrain/nat-port-mapper'
import type { Clock } from '../../foundation/clock.ts'
import { withDeadline } from '../deadline.ts'
import { scopeOf } from './addresses.ts'
import type { SocketAddress } from './stun.ts'

/**
 * How far asking the router has come. `private`: it forwards, but its own address is not the internet's, for there is
 * another router beyond it.
 */
export type MappingState =
  | { readonly kind: 'off' }
  | { readonly kind: 'searching' }
  | { readonly kind: 'none' }
  | { readonly kind: 'private'; readonly host: string }
  | {
      readonly kind: 'mapped'
      readonly external: SocketAddress
      /** Whether the router forwards datagrams of the same port as well. */
      readonly udp: boolean
    }

/** Asks the router to forward a port, by UPnP or NAT-PMP, and keeps it doing so. */
export class PortMapper {
  readonly #clock: Clock
  readonly #internal: SocketAddress
  readonly #changed: () => void
  #state: MappingState = { kind: 'searching' }
  #gateway: Gateway | undefined
  #stopped = false
  #searchDelayMs = FIRST_SEARCH_DELAY_MS
  #cancel: (() => void) | undefined

  /** @param internal - the address in the local network to forward to */
  constructor(internal: SocketAddress, options: { clock: Clock; onChange: () => void }) {
    this.#internal = internal
    this.#clock = options.clock
    this.#changed = options.onChange
  }

  get state(): MappingState {
    return this.#state
  }

  start(): void {
    void this.#round()
  }

  /** Takes the forwarding back. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#letGo()
  }

  async #round(): Promise<void> {
    const found = (await this.#renew()) ?? (await this.#search())
    if (this.#stopped) {
      await this.#letGo()
      return
    }
    const before = JSON.stringify(this.#state)
    this.#state = found ?? { kind: 'none' }
    if (JSON.stringify(this.#state) !== before) this.#changed()
    const delayMs = found === undefined ? this.#searchDelayMs : RENEW_INTERVAL_MS
    this.#searchDelayMs =
      found === undefined ? Math.min(2 * delayMs, MAX_SEARCH_DELAY_MS) : FIRST_SEARCH_DELAY_MS
    this.#cancel = this.#clock.after(delayMs, () => void this.#round())
  }

  /** Asks the router that was found before: it may have restarted since, or have another address. */
  async #renew(): Promise<MappingState | undefined> {
    const gateway = this.#gateway
    if (gateway === undefined) return undefined
    const state = await this.#mapBy(gateway)
    if (state === undefined) await this.#letGo()
    return state
  }

  async #search(): Promise<MappingState | undefined> {
    const { upnpNat, pmpNat } = await import('./nat-library.ts')
    const router = await defaultGateway()
    const attempts: Promise<MappingState>[] = []
    if (router !== undefined) {
      attempts.push(required(this.#mapBy(pmpNat(router, MAPPING_OPTIONS))))
    }
    attempts.push(required(this.#mapByUpnp(upnpNat(MAPPING_OPTIONS))))
    try {
      return await Promise.any(attempts)
    } catch {
      return undefined
    }
  }

  async #mapByUpnp(client: {
    findGateways(options: { signal: AbortSignal; searchInterval: number }): AsyncIterable<Gateway>
  }): Promise<MappingState | undefined> {
    return await withDeadline(this.#clock, SEARCH_TIMEOUT_MS, async (signal) => {
      for await (const gateway of client.findGateways({ signal, searchInterval: 1000 })) {
        const state = await this.#mapBy(gateway)
        if (state !== undefined) return state
      }
      return undefined
    }).catch(() => undefined)
  }

  async #mapBy(gateway: Gateway): Promise<MappingState | undefined> {
    const { host, port } = this.#internal
    try {
      return await withDeadline(this.#clock, REQUEST_TIMEOUT_MS, async (signal) => {
        const externalHost = await gateway.externalIp({ signal })
        if (scopeOf(externalHost) !== 'public')
          return { kind: 'private', host: externalHost } as const
        const { externalPort } = await gateway.map(port, host, { protocol: 'TCP', signal })
        const udp = await gateway
          .map(port, host, { protocol: 'UDP', externalPort, signal })
          .then((mapping) => mapping.externalPort === externalPort)
          .catch(() => false)
        this.#gateway ??= gateway
        return {
          kind: 'mapped',
          external: { host: externalHost, port: externalPort },
          udp,
        } as const
      })
    } catch {
      return undefined
    }
  }

  async #letGo(): Promise<void> {
    const gateway = this.#gateway
    this.#gateway = undefined
    if (gateway === undefined) return
    await withDeadline(this.#clock, STOP_TIMEOUT_MS, (signal) => gateway.stop({ signal })).catch(
      () => undefined,
    )
  }
}

/** Forwarding ends an hour after its host went away without a word. The library's own renewal is not needed. */
const MAPPING_OPTIONS = { ttl: 60 * 60 * 1000, autoRefresh: false, description: 'hayloft' }
/** Routers answer within a second or two, those that are busy a little later. */
const SEARCH_TIMEOUT_MS = 6_000
const REQUEST_TIMEOUT_MS = 4_000
const STOP_TIMEOUT_MS = 1_000
/** A router that was switched off, or whose UPnP was, may be back. */
const FIRST_SEARCH_DELAY_MS = 30_000
const MAX_SEARCH_DELAY_MS = 10 * 60_000
const RENEW_INTERVAL_MS = 30_000

async function required<T>(promise: Promise<T | undefined>): Promise<T> {
  const value = await promise
  if (value === undefined) throw new Error('no router')
  return value
}

/** The router of the default route, where the system tells it in the way of Linux. */
async function defaultGateway(): Promise<string | undefined> {
  try {
    return parseDefaultGateway(await readFile('/proc/net/route', 'utf8'))
  } catch {
    return undefined
  }
}

/** @param table - of `/proc/net/route`: addresses in hexadecimal digits, the last byte first */
export function parseDefaultGateway(table: string): string | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway] = line.trim().split(/\s+/)
    if (destination !== '00000000' || gateway === undefined) continue
    if (!/^[0-9A-F]{8}$/i.test(gateway) || gateway === '00000000') continue
    return (gateway.match(/../g) ?? [])
      .toReversed()
      .map((byte) => Number.parseInt(byte, 16))
      .join('.')
  }
  return undefined
}
