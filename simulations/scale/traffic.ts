import { EXCHANGE_INTERVAL_MS, PUSH_DELAY_MS } from '../../src/network/membership/limits.ts'
import { STATEMENT_DIGEST_BYTES } from '../../src/protocol/membership/membership.ts'

/**
 * What passes between members in a day though nobody stores or reads anything. Bytes are those of TCP's payload, sent and
 * received together, of one member.
 */
export interface DailyTraffic {
  readonly connections: number
  /** Pings that tell live connections from dead ones. */
  readonly pings: number
  /** The DHT's looking around. */
  readonly dht: number
  /** Exchanges of digests: every five minutes, and on connecting. */
  readonly exchanges: number
  /** Announcements that changed, pushed to whoever is connected. */
  readonly news: number
}

interface TrafficPlan {
  readonly members: number
  readonly statementsPerMember: number
  readonly announcementBytes: number
  /** Requests that a node makes every five minutes: around itself, and around one or two random keys. */
  readonly requestsPerRound: number
  /** How often a change is sent, a member. */
  readonly copies: number
}

/** libp2p's connection manager drops connections beyond so many, unless it is told otherwise. */
const MAX_CONNECTIONS = 300
/** A member comes and goes, changes its address or what it offers: that often a day. */
const CHANGES_PER_DAY = 4
const SECONDS_PER_DAY = 86_400

/** Measured on a connection of two real hosts: a ping on a stream of its own, with what opens and closes that. */
const PING_BYTES = 540
/** How often each side of a connection pings: `CONNECTION_CHECK_INTERVAL_MS` of the host. */
const PINGS_PER_DAY = SECONDS_PER_DAY / 20
/** Measured: a request on a stream of its own, with an empty answer. */
const DHT_REQUEST_BYTES = 540
/** One of the twenty peers of an answer: an id, and two addresses of some 30 bytes. */
const DHT_PEER_BYTES = 110
const PEERS_PER_ANSWER = 20
/** kad-dht looks around every five minutes. */
const ROUNDS_PER_DAY = SECONDS_PER_DAY / 300
/** A stream of its own for an exchange or a push, with what opens and closes it, and short answers. */
const EXCHANGE_BYTES = 540

/** All connect to all as long as they may: the DHT looks everyone up. */
export function connectionsOf(members: number): number {
  return Math.min(members - 1, MAX_CONNECTIONS)
}

export function dailyTraffic(plan: TrafficPlan): DailyTraffic {
  const { members, statementsPerMember, announcementBytes, requestsPerRound, copies } = plan
  const connections = connectionsOf(members)
  const answer = Math.min(PEERS_PER_ANSWER, members - 1) * DHT_PEER_BYTES
  const changes = members * CHANGES_PER_DAY
  const exchangesPerDay = (2 * SECONDS_PER_DAY * 1000) / EXCHANGE_INTERVAL_MS
  const digests = members * statementsPerMember * STATEMENT_DIGEST_BYTES
  // Two members differ while a change is on its way between them: a few pushes one after another.
  const differing = -Math.expm1((-changes * DIFFERING_S) / SECONDS_PER_DAY)
  return {
    connections,
    // Both sides ping.
    pings: 2 * connections * PINGS_PER_DAY * PING_BYTES,
    // What a member asks, and what it is asked.
    dht: 2 * ROUNDS_PER_DAY * requestsPerRound * (DHT_REQUEST_BYTES + answer),
    exchanges:
      exchangesPerDay * (EXCHANGE_BYTES + differing * digests) +
      2 * CHANGES_PER_DAY * (EXCHANGE_BYTES + digests),
    // Sent as often as received.
    news: 2 * changes * copies * (announcementBytes + EXCHANGE_BYTES),
  }
}

const DIFFERING_S = (3 * (PUSH_DELAY_MS + 100)) / 1000

export function totalOf({ pings, dht, exchanges, news }: DailyTraffic): number {
  return pings + dht + exchanges + news
}
