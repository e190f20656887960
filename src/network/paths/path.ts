import type { Connection } from '@libp2p/interface'

/**
 * How bytes travel to a peer, the best way first. `direct`: a TCP connection to where it listens. `punched`: one that
 * both sides opened at the same time, through routers that let no other in. `webrtc`: UDP, opened likewise; an eighth
 * as fast. `relayed`: through a member that both reach, whose uplink it takes.
 */
export const PATH_KINDS = ['direct', 'punched', 'webrtc', 'relayed'] as const
export type PathKind = (typeof PATH_KINDS)[number]

const punched = new WeakSet<Connection>()
const passing = new WeakSet<Connection>()

/** Tells a connection that was punched from one to a listening port, which it looks the same as. */
export function markPunched(connection: Connection): void {
  punched.add(connection)
}

/** A connection that is there for one question and is never a path. */
export function markPassing(connection: Connection): void {
  passing.add(connection)
}

export function pathKindOf(connection: Connection): PathKind {
  // A WebRTC connection keeps the relayed address that it was arranged over.
  if (/\/webrtc(\/|$)/.test(connection.remoteAddr.toString())) return 'webrtc'
  if (isRelayed(connection)) return 'relayed'
  return punched.has(connection) ? 'punched' : 'direct'
}

/** Smaller is better. */
export function rankOfPath(connection: Connection): number {
  return PATH_KINDS.indexOf(pathKindOf(connection))
}

/** The open connection that streams should take: the best kind, and the oldest of that. */
export function bestPath(connections: readonly Connection[]): Connection | undefined {
  return pathsOf(connections)[0]
}

/** Open connections, the best first. */
export function pathsOf(connections: readonly Connection[]): Connection[] {
  return connections
    .filter((connection) => connection.status === 'open' && !passing.has(connection))
    .sort((a, b) => rankOfPath(a) - rankOfPath(b) || a.timeline.open - b.timeline.open)
}

function isRelayed({ limits, remoteAddr }: Connection): boolean {
  return limits !== undefined || remoteAddr.toString().includes('/p2p-circuit')
}
