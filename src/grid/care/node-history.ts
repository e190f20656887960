import type { NodeKey } from '../../protocol/node-key.ts'

/**
 * What one home has measured of a node: how much of the time it was there, and how often it proved what it says to
 * hold. Older measurements count for less, by half every {@link HALF_LIFE_MS}.
 */
export interface NodeHistory {
  readonly node: NodeKey
  readonly firstSeenMs: number
  /** Time that it was seen there and away, in ms, each with its decay up to {@link decayedMs}. */
  readonly upMs: number
  readonly downMs: number
  /** Leaves that it proved, and that it could or would not. */
  readonly good: number
  readonly bad: number
  readonly decayedMs: number
  /** When it was last asked; 0 before the first time. */
  readonly probedMs: number
  /** For how long it has been away now, as far as was seen; 0 while it is there. */
  readonly awayMs: number
  /** Probes in a row that it has not answered. */
  readonly misses: number
  readonly auditedMs: number
  /** How often it has stayed away for so long that it counted as gone, with decay. */
  readonly departures: number
}

export function newHistory(node: NodeKey, nowMs: number): NodeHistory {
  const nothing = { upMs: 0, downMs: 0, good: 0, bad: 0, awayMs: 0, misses: 0, departures: 0 }
  return { node, firstSeenMs: nowMs, decayedMs: nowMs, probedMs: 0, auditedMs: 0, ...nothing }
}

/**
 * A node was asked whether it is there. Of the time since the last question half an hour at most counts as measured:
 * who asks once a day has seen a moment of it and not the day.
 */
export function probed(
  history: NodeHistory,
  { isUp, nowMs }: { isUp: boolean; nowMs: number },
): NodeHistory {
  const decayed = decay(history, nowMs)
  const elapsedMs = history.probedMs === 0 ? 0 : Math.max(0, nowMs - history.probedMs)
  const seenMs = history.probedMs === 0 ? FIRST_CREDIT_MS : Math.min(elapsedMs, MAX_CREDIT_MS)
  if (isUp) {
    return { ...decayed, upMs: decayed.upMs + seenMs, probedMs: nowMs, awayMs: 0, misses: 0 }
  }
  // Unseen it may have been back: half of that time counts, and after a long while seeing it away begins anew.
  const awayMs = Math.min(elapsedMs, WATCHED_MS) + Math.max(0, elapsedMs - WATCHED_MS) / 2
  const isLongAgo = elapsedMs > FORGOTTEN_MS
  const missed = {
    ...decayed,
    downMs: decayed.downMs + seenMs,
    probedMs: nowMs,
    awayMs: history.misses === 0 ? 0 : history.awayMs + awayMs,
    misses: isLongAgo ? 1 : history.misses + 1,
  }
  const hasLeft = isGone(missed) && !isGone(history)
  return hasLeft ? { ...missed, departures: missed.departures + 1 } : missed
}

/** Shares of a node were tried. */
export function audited(
  history: NodeHistory,
  { good, bad, nowMs }: { good: number; bad: number; nowMs: number },
): NodeHistory {
  const decayed = decay(history, nowMs)
  return { ...decayed, good: decayed.good + good, bad: decayed.bad + bad, auditedMs: nowMs }
}

/**
 * The part of the time that the node is there, between 0 and 1. A node that was hardly measured is taken for a typical
 * one: the mean of a beta distribution whose prior weighs a day.
 */
export function availabilityOf(history: NodeHistory | undefined): number {
  const { upMs, downMs } = history ?? { upMs: 0, downMs: 0 }
  return (upMs + TYPICAL_AVAILABILITY * DAY_MS) / (upMs + downMs + DAY_MS)
}

/** Whether more is known of how a node is there than is presumed of any: it was watched for as long as the prior weighs. */
export function isMeasured(history: NodeHistory | undefined): boolean {
  return history !== undefined && history.upMs + history.downMs >= DAY_MS
}

/**
 * How long a node may be away before its shares stop to count: half a day for one that is nearly always there, up to a
 * day for one that often is not, so that nobody's night or nap moves data.
 */
export function graceMsOf(history: NodeHistory): number {
  const absence = 1 - availabilityOf(history)
  const part = Math.min(1, Math.max(0, (absence - 0.05) / 0.35))
  return MIN_GRACE_MS + part * (MAX_GRACE_MS - MIN_GRACE_MS)
}

/** Whether the node has been away for so long that what it holds counts no more. One answer brings it back. */
export function isGone(history: NodeHistory | undefined): boolean {
  if (history === undefined) return false
  return history.misses >= MISSES && history.awayMs >= graceMsOf(history)
}

/**
 * The chance that a node leaves for good within `spanMs`. Before anything is known it is taken to stay for a year on
 * average; each time that it was away for so long that it counted as gone makes it likelier.
 */
export function chanceOfLeaving(history: NodeHistory | undefined, spanMs: number): number {
  const { upMs, downMs, departures } = history ?? { upMs: 0, downMs: 0, departures: 0 }
  const perMs = (1 + departures) / (TYPICAL_STAY_MS + upMs + downMs)
  return 1 - Math.exp(-perMs * spanMs)
}

/**
 * The least part of all its shares that a node fails to prove, with 95 % confidence from one side: the lower bound of
 * E. B. Wilson's score interval ("Probable Inference", 1927). Of nothing it is 0.
 */
export function failureRateOf({ good, bad }: Pick<NodeHistory, 'good' | 'bad'>): number {
  const tried = good + bad
  if (tried === 0) return 0
  const rate = bad / tried
  const z2 = Z * Z
  const margin = Z * Math.sqrt((rate * (1 - rate)) / tried + z2 / (4 * tried * tried))
  return Math.max(0, (rate + z2 / (2 * tried) - margin) / (1 + z2 / tried))
}

/** Whether a node fails so often that its word counts for nothing. One rotten sector does not make it so. */
export function isDistrusted(history: NodeHistory | undefined): boolean {
  if (history === undefined) return false
  return history.bad >= FAILURES && failureRateOf(history) > MAX_FAILURE_RATE
}

/** Whether a node has failed lately, so that each of its shares is to be proven before it counts. */
export function isDoubted(history: NodeHistory | undefined): boolean {
  return history !== undefined && history.bad >= 0.5
}

/** The same histories, as they are at another time. */
function decay(history: NodeHistory, nowMs: number): NodeHistory {
  // A calendar that was set back makes nothing young again.
  const elapsedMs = Math.max(0, nowMs - history.decayedMs)
  const left = 2 ** (-elapsedMs / HALF_LIFE_MS)
  const { upMs, downMs, good, bad, departures } = history
  return {
    ...history,
    upMs: upMs * left,
    downMs: downMs * left,
    good: good * left,
    bad: bad * left,
    departures: departures * left,
    decayedMs: Math.max(nowMs, history.decayedMs),
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A drive that was replaced is forgiven within months, and last month's router trouble within weeks. */
const HALF_LIFE_MS = 30 * DAY_MS
const MAX_CREDIT_MS = HOUR_MS / 2
const FIRST_CREDIT_MS = 60_000
/** Between two probes so far apart nothing is assumed. */
const WATCHED_MS = HOUR_MS
const FORGOTTEN_MS = 26 * HOUR_MS
/** Before it is measured: a friend's machine that is on most of the time. */
export const TYPICAL_AVAILABILITY = 0.9
const TYPICAL_STAY_MS = 365 * DAY_MS
const MIN_GRACE_MS = 12 * HOUR_MS
const MAX_GRACE_MS = 24 * HOUR_MS
/** Probes that a node must have missed in a row, whatever the time that passed between them. */
const MISSES = 3
/** The 95th percentile of the normal distribution. */
const Z = 1.645
/** Fewer failures than this may be one bad sector. */
const FAILURES = 2.5
/** Of the shares of a node: more than repairs would keep up with without anyone noticing. */
const MAX_FAILURE_RATE = 0.05
