import type { Clock } from '../../foundation/clock.ts'
import {
  MAX_PENDING_PER_ADDRESS,
  MAX_PENDING_UNKNOWN,
  MAX_REMEMBERED_ADDRESSES,
  STRANGER_BURST,
  STRANGER_INTERVAL_MS,
} from './limits.ts'

/**
 * How often peers come from each address, and from which of them members came: so that a flood from some addresses
 * leaves room for members, and costs little.
 */
export class Visitors {
  readonly #clock: Clock
  /** By address; the first is the one that came longest ago. */
  readonly #budgets = new Map<string, { attempts: number; atMs: number }>()
  readonly #membersCameFrom = new Set<string>()
  readonly #pending = new Map<string, number>()
  #pendingUnknown = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * A connection comes in, and nobody knows yet whose it is.
   * @returns undefined if it is not taken, else what to call once that is known or the connection has ended
   */
  enter(address: string): (() => void) | undefined {
    if (this.#membersCameFrom.has(address)) return () => undefined
    const pending = this.#pending.get(address) ?? 0
    const isFull = this.#pendingUnknown >= MAX_PENDING_UNKNOWN || pending >= MAX_PENDING_PER_ADDRESS
    // Without this, each attempt would still cost the arithmetic of a handshake.
    if (isFull || this.#attemptsLeft(address) < 1) return undefined
    this.#pending.set(address, pending + 1)
    this.#pendingUnknown++
    let left = false
    return () => {
      if (left) return
      left = true
      this.#pendingUnknown--
      const others = (this.#pending.get(address) ?? 1) - 1
      if (others > 0) this.#pending.set(address, others)
      else this.#pending.delete(address)
    }
  }

  memberCame(address: string): void {
    touch(this.#membersCameFrom, address)
  }

  /** @returns whether one more stranger from there is taken */
  strangerCame(address: string): boolean {
    const attempts = this.#attemptsLeft(address)
    this.#budgets.delete(address)
    this.#budgets.set(address, {
      attempts: Math.max(0, attempts - 1),
      atMs: this.#clock.monotonicMs(),
    })
    forgetOldest(this.#budgets)
    return attempts >= 1
  }

  #attemptsLeft(address: string): number {
    const budget = this.#budgets.get(address)
    if (budget === undefined) return STRANGER_BURST
    const earned = (this.#clock.monotonicMs() - budget.atMs) / STRANGER_INTERVAL_MS
    return Math.min(STRANGER_BURST, budget.attempts + earned)
  }
}

function touch(addresses: Set<string>, address: string): void {
  addresses.delete(address)
  addresses.add(address)
  forgetOldest(addresses)
}

function forgetOldest(remembered: Map<string, unknown> | Set<string>): void {
  if (remembered.size <= MAX_REMEMBERED_ADDRESSES) return
  const [oldest] = remembered.keys()
  if (oldest !== undefined) remembered.delete(oldest)
}

/**
 * Who comes from where, as far as one can be held to account for it: an IPv4 address, or the 64 bits of an IPv6 address
 * that one household gets. Peers that come through a relay count as one.
 *
 * @param multiaddr - such as `/ip4/192.0.2.7/tcp/4001`
 */
export function visitorAddress(multiaddr: string): string {
  if (multiaddr.includes('/p2p-circuit')) return 'relayed'
  const [, family, host] = multiaddr.split('/')
  if (family !== 'ip6' || host === undefined) return `${family ?? ''} ${host ?? ''}`
  return `ip6 ${householdOf(host)}`
}

/** The first four of the eight groups of an IPv6 address. */
function householdOf(host: string): string {
  const [start = '', end] = host.toLowerCase().split('::')
  const groups = start === '' ? [] : start.split(':')
  const rest = end === undefined || end === '' ? [] : end.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => '0')
  return [...groups, ...zeros, ...rest].slice(0, 4).join(':')
}
