import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Identify } from '@libp2p/identify'
import type { KadDHT } from '@libp2p/kad-dht'
import { publicKeyOf } from '../crypto/signatures.ts'
import { concatBytes, toHex } from '../foundation/bytes.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { Clock } from '../foundation/clock.ts'
import { heartbeat, leanPing } from './heartbeat.ts'
import { parsePeerIdText, peerIdText } from './identity.ts'
import { leanNoise, leanYamux } from './lean.ts'
import {
  createLibp2p,
  identify,
  identifyPush,
  kadDHT,
  multiaddr,
  passthroughMapper,
  peerIdFromString,
  privateKeyFromRaw,
  tcp,
} from './libp2p.ts'
import {
  ADDRESS_DIAL_TIMEOUT_MS,
  DIAL_TIMEOUT_MS,
  INITIAL_WINDOW_BYTES,
  MAX_READ_BUFFER_BYTES,
  MAX_STREAMS_PER_PEER,
  MAX_WINDOW_BYTES,
  OPEN_STREAM_TIMEOUT_MS,
} from './limits.ts'
import type { Gate } from './membership/gate.ts'
import { HANDSHAKE_TIMEOUT_MS, MAX_PENDING_CONNECTIONS } from './membership/limits.ts'
import type { Internals } from './paths/internals.ts'
import { bestPath } from './paths/path.ts'
import { RelayUser } from './paths/relay.ts'
import { SignsOfLife } from './signs-of-life.ts'

/** What finding paths works with. */
export interface Inside {
  readonly internals: Internals
  readonly relays: RelayUser
}

export type Host = Libp2p<{ identify: Identify; dht: KadDHT; inside: Inside }>

export interface HostOptions {
  readonly identity: Uint8Array
  readonly gridId: Uint8Array
  readonly listen: readonly string[]
  readonly gate: Gate
  readonly clock: Clock
  /** What peers show of being there, where somebody notes it. */
  readonly signs?: SignsOfLife
  /** Whether the host answers DHT queries of others: nodes do, clients only ask. */
  readonly servesDht: boolean
  /** What to announce of the addresses that libp2p knows. */
  readonly announce?: (own: readonly string[]) => readonly string[]
}

/**
 * A libp2p host that talks to those whom the gate lets in, which are members of one grid, and strangers who want to join;
 * over TCP and through relays. What else there is to reach others by comes later, from `paths/`, and the gate holds for
 * it as well.
 */
export async function startHost(options: HostOptions): Promise<Host> {
  const { identity, gridId, listen, gate, clock, servesDht, announce } = options
  const { signs = new SignsOfLife(clock) } = options
  const relays = new RelayUser()
  return await createLibp2p({
    // libp2p would derive the public half in JavaScript, which takes a cold process longer than one dial.
    privateKey: privateKeyFromRaw(concatBytes([identity, publicKeyOf(identity)])),
    addresses: {
      listen: [...listen],
      announceFilter: (own) =>
        announce === undefined
          ? own
          : announce(own.map(String)).map((address) => multiaddr(address)),
    },
    transports: [tcp(), (components) => relays.transport(components as unknown as Internals)],
    connectionEncrypters: [leanNoise()],
    streamMuxers: [
      leanYamux({
        enableKeepAlive: false,
        streamOptions: {
          initialStreamWindowSize: INITIAL_WINDOW_BYTES,
          maxStreamWindowSize: MAX_WINDOW_BYTES,
          maxReadBufferLength: MAX_READ_BUFFER_BYTES,
        },
      }),
    ],
    connectionGater: gate.gater(),
    connectionManager: {
      dialTimeout: DIAL_TIMEOUT_MS,
      addressDialTimeout: ADDRESS_DIAL_TIMEOUT_MS,
      outboundStreamProtocolNegotiationTimeout: OPEN_STREAM_TIMEOUT_MS,
      inboundStreamProtocolNegotiationTimeout: OPEN_STREAM_TIMEOUT_MS,
      // The default of 5 a second and address breaks households behind one router.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
      inboundUpgradeTimeout: HANDSHAKE_TIMEOUT_MS,
      reconnectRetries: 0,
    },
    // Two ways to find dead connections, of which the first is dear and the second ends none; see heartbeat.ts.
    connectionMonitor: { enabled: false },
    services: {
      // First of all: libp2p makes services in this order, and each listens for connections.
      gate: gate.service(),
      identify: identify(),
      // Who listens nowhere has no addresses to tell of.
      identifyPush: identifyPush({ runOnSelfUpdate: listen.length > 0 }),
      // Several may want to know at once whether a peer is there.
      ping: leanPing({ maxInboundStreams: MAX_PINGS, maxOutboundStreams: MAX_PINGS }, clock),
      heartbeat: heartbeat({ clock, signs }),
      inside: (components: object): Inside => ({ internals: components as Internals, relays }),
      dht: kadDHT({
        protocol: `${protocolPrefix(gridId)}/kad/1`,
        clientMode: !servesDht,
        // The default mapper drops private addresses, and a grid may well live in one house.
        peerInfoMapper: passthroughMapper,
        // Otherwise every query of a young host waits for a first one about itself, which starts after a second.
        allowQueryWithZeroPeers: true,
        ...(!servesDht && { initialQuerySelfInterval: NEVER_MS, querySelfInterval: NEVER_MS }),
      }),
    },
  })
}

/**
 * A query about oneself, a second after the start, is how a node finds those around it. A client has no place among them,
 * and would spend on it, with all nodes, as much as on a short command. The longest that a timer can wait.
 */
const NEVER_MS = 2 ** 31 - 1

const MAX_PINGS = 16

/** Grids as protocol names tell them apart: the first 64 bits of the grid id. */
export function gridName(gridId: Uint8Array): string {
  return toHex(gridId.subarray(0, 8))
}

/** Answers streams of the storage protocol. */
export async function handleStore(
  host: Host,
  gridId: Uint8Array,
  onStream: (stream: Stream, caller: NodeKey) => void,
): Promise<void> {
  await host.handle(
    storeProtocol(gridId),
    (stream, connection) => {
      const caller = nodeKeyOfPeer(connection.remotePeer)
      if (caller === undefined) stream.abort(new Error('the caller has no Ed25519 key'))
      else onStream(stream, caller)
    },
    { maxInboundStreams: MAX_STREAMS_PER_PEER, runOnLimitedConnection: true },
  )
}

/** Among members only: who belongs to the grid. */
export function membersProtocol(gridId: Uint8Array): string {
  return `/hayloft/${gridName(gridId)}/members/1`
}

/** The one protocol that strangers may use. */
export function joinProtocol(gridId: Uint8Array): string {
  return `/hayloft/${gridName(gridId)}/join/1`
}

export function storeProtocol(gridId: Uint8Array): string {
  return `${protocolPrefix(gridId)}/store/1`
}

/** What the names of a grid's own protocols begin with. */
export function protocolPrefix(gridId: Uint8Array): string {
  return `/hayloft/${gridName(gridId)}`
}

export function nodeKeyOfPeer(peer: PeerId): NodeKey | undefined {
  return parsePeerIdText(peer.toString())
}

export function peerOfNode(node: NodeKey): PeerId {
  return peerIdFromString(peerIdText(node))
}

/** The connection to the node that streams should take, if there is one. */
export function openConnectionTo(host: Host, node: NodeKey): Connection | undefined {
  return bestPath(host.getConnections(peerOfNode(node)))
}

/** Dials addresses of one node, in turn. @throws whatever libp2p throws */
export async function dialAddresses(
  host: Host,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<Connection> {
  return await host.dial(
    addresses.map((address) => multiaddr(address)),
    { signal },
  )
}
