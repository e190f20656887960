/**
 * Kinds of routers, as RFC 3489 called them. `cone`: once a machine has sent anything from a port, everybody may send to
 * what the router made of it. `address-restricted`: only whom the machine has sent to, from any port of theirs.
 * `port-restricted`: only from the very port. `symmetric`: likewise, and towards everybody the port looks different.
 */
export const NAT_TYPES = [
  'none',
  'cone',
  'address-restricted',
  'port-restricted',
  'symmetric',
] as const
export type NatType = (typeof NAT_TYPES)[number]

/** Addresses of machines that no router stands before. */
const PUBLIC_MACHINES = '5.5.0.0/24'

/** nftables' rules of a router with the interfaces `wan` and `lan`. What comes unasked is dropped without an answer. */
export function natRules(nat: Exclude<NatType, 'none'>): string {
  const remembers = nat === 'cone' || nat === 'address-restricted'
  // Linux filters by address and port; where others may come in as well, each mapping is written down.
  const mappings = `
  map tcp_ports { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout 10m; size 65535; }
  map udp_ports { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout 10m; size 65535; }
  set contacts { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 10m; size 65535; }`
  const known = nat === 'address-restricted' ? 'ip saddr . th dport @contacts' : ''
  return `
table inet n {${remembers ? mappings : ''}
  chain pre { type nat hook prerouting priority dstnat; policy accept;${
    remembers
      ? `
    iifname "wan" ${known} meta l4proto tcp dnat ip to tcp dport map @tcp_ports
    iifname "wan" ${known} meta l4proto udp dnat ip to udp dport map @udp_ports`
      : ''
  }
  }
  chain remember { type nat hook postrouting priority srcnat - 1; policy accept;${
    remembers
      ? `
    oifname "wan" meta l4proto tcp update @tcp_ports { tcp sport : ip saddr . tcp sport }
    oifname "wan" meta l4proto udp update @udp_ports { udp sport : ip saddr . udp sport }
    oifname "wan" update @contacts { ip daddr . th sport }`
      : ''
  }
  }
  chain post { type nat hook postrouting priority srcnat; policy accept;
    ${nat === 'symmetric' ? DIFFERENT_PORTS : ''}
    oifname "wan" masquerade
  }
  chain inp { type filter hook input priority filter; policy drop;
    iifname { "lan", "lo" } accept
    ct state established,related accept
    icmp type echo-request accept
  }
  chain forw { type filter hook forward priority filter; policy drop;
    iifname "lan" accept
    ct state established,related accept
    ct status dnat accept
  }
}
`
}

/**
 * Public machines, which tell others where they see a port, never see it where houses do. Drawn from all ports alike, the
 * two would be the same now and then, and get a punch through that nobody can count on: each attempt that is refused
 * draws another one.
 */
const DIFFERENT_PORTS = `
    oifname "wan" ip daddr ${PUBLIC_MACHINES} meta l4proto { tcp, udp } masquerade to :1024-32767 random,fully-random
    oifname "wan" meta l4proto { tcp, udp } masquerade to :32768-65535 random,fully-random`
