import { BlockList, isIP } from 'node:net'

/** Where an address can be reached from. `name`: a host name, of which nobody knows before it is looked up. */
export type Scope = 'loopback' | 'private' | 'public' | 'name'

/** What a multiaddr says, as far as choosing among addresses needs it. */
export interface KnownAddress {
  readonly text: string
  /** `relayed`: through another host, which the other fields are about. */
  readonly kind: 'direct' | 'relayed'
  readonly scope: Scope
  readonly host: string
  readonly port: number
}

/** @returns undefined for what is neither an address of TCP nor one through a relay that has one */
export function parseAddress(text: string): KnownAddress | undefined {
  const match = /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d{1,5})(\/|$)/.exec(text)
  if (match === null) return undefined
  const [, protocol = '', host = '', digits = ''] = match
  const isName = protocol.startsWith('dns')
  if (!isName && isIP(host) === 0) return undefined
  const rest = text.slice(match[0].length)
  if (/(^|\/)(ws|wss|quic|quic-v1|webrtc|webtransport)(\/|$)/.test(rest)) return undefined
  return {
    text,
    kind: rest.includes('p2p-circuit') ? 'relayed' : 'direct',
    scope: isName ? 'name' : scopeOf(host),
    host,
    port: Number(digits),
  }
}

/** @param host - an IPv4 or IPv6 address */
export function scopeOf(host: string): Exclude<Scope, 'name'> {
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4'
  if (LOOPBACK.check(host, family)) return 'loopback'
  return PRIVATE.check(host, family) ? 'private' : 'public'
}

/** `/ip4/192.0.2.1/tcp/4001` */
export function tcpAddress(host: string, port: number): string {
  return `/${isIP(host) === 6 ? 'ip6' : 'ip4'}/${host}/tcp/${port}`
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/** RFC 1918, 3927, 6598 (providers' own NAT), 4193, 4291 and the unspecified addresses. */
const PRIVATE = new BlockList()
PRIVATE.addSubnet('0.0.0.0', 8)
PRIVATE.addSubnet('10.0.0.0', 8)
PRIVATE.addSubnet('100.64.0.0', 10)
PRIVATE.addSubnet('169.254.0.0', 16)
PRIVATE.addSubnet('172.16.0.0', 12)
PRIVATE.addSubnet('192.168.0.0', 16)
PRIVATE.addAddress('::', 'ipv6')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/**
 * What a host tells others of its addresses: none that only it can use if there are others, relays only where it cannot
 * be reached without, and of each relay the addresses that most can use.
 */
export function announcedAddresses(
  own: readonly string[],
  { extra, isReachable, max }: { extra: readonly string[]; isReachable: boolean; max: number },
): string[] {
  const parsed = [...extra, ...own].map(parseAddress).filter((address) => address !== undefined)
  const direct = parsed.filter(({ kind }) => kind === 'direct')
  const beyondLoopback = direct.filter(({ scope }) => scope !== 'loopback')
  const relayed = isReachable ? [] : parsed.filter(({ kind }) => kind === 'relayed')
  const widelyRelayed = relayed.filter(({ scope }) => scope === 'public' || scope === 'name')
  const chosen = [
    ...byScope(beyondLoopback.length > 0 ? beyondLoopback : direct),
    ...(widelyRelayed.length > 0 ? widelyRelayed : relayed),
  ].map(({ text }) => text)
  return [...new Set(chosen)].slice(0, max)
}

const SCOPE_ORDER: readonly Scope[] = ['name', 'public', 'private', 'loopback']

/** What is most widely of use first. */
export function byScope(addresses: readonly KnownAddress[]): KnownAddress[] {
  return addresses.toSorted((a, b) => SCOPE_ORDER.indexOf(a.scope) - SCOPE_ORDER.indexOf(b.scope))
}
