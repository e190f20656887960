import type { RootRecord } from './memory.ts'

/** How often things are done. */
export interface CareIntervals {
  readonly probeMs: number
  readonly auditMs: number
  /** From one visit of a root to the next, if nothing happens. */
  readonly visitMs: number
  /** From one renewal of leases, which are of 45 days, to the next. */
  readonly renewMs: number
  readonly drillMs: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export const CARE_INTERVALS: CareIntervals = {
  probeMs: HOUR_MS / 6,
  auditMs: 6 * HOUR_MS,
  visitMs: 7 * DAY_MS,
  renewMs: 15 * DAY_MS,
  drillMs: 30 * DAY_MS,
}

/** Leaves of each node's shares that are audited in a week: these find 1 % of loss with 95 % certainty. */
const LEAVES_A_WEEK = 300
const WEEK_MS = 7 * DAY_MS
/** As many as fit one message. */
const MOST_LEAVES = 32

/**
 * How many leaves of a node to audit now, so that a week has as many as it should: no more than the node has shares, and
 * more at once if one has failed lately.
 */
export function leavesDue(
  { shares, sinceMs, isDoubted }: { shares: number; sinceMs: number; isDoubted: boolean },
  { auditMs }: Pick<CareIntervals, 'auditMs'>,
): number {
  if (shares === 0) return 0
  if (isDoubted) return Math.min(shares, MOST_LEAVES)
  const aWeek = Math.min(LEAVES_A_WEEK, shares)
  const part = Math.min(Math.max(sinceMs, auditMs), WEEK_MS) / WEEK_MS
  return Math.min(MOST_LEAVES, Math.ceil(aWeek * part))
}

/** When a root is to be visited next, in Unix ms. */
export function visitDueMs(
  record: RootRecord,
  {
    intervals,
    standing,
    nowMs,
    jitter,
    budgetReadyMs,
  }: {
    intervals: CareIntervals
    standing: readonly string[]
    nowMs: number
    /** Between 0 and 1: so that carers who began together do not go on together. */
    jitter: number
    /** When the budget has what was deferred. */
    budgetReadyMs: number
  },
): number {
  const { visitedMs } = record
  // A calendar that was set back must not put it off.
  if (visitedMs === 0 || visitedMs > nowMs + DAY_MS) return 0
  const dues = [visitedMs + intervals.visitMs * (1 - JITTER * jitter)]
  if (record.isRenewalDue) dues.push(visitedMs + DAY_MS * (1 + jitter / 2))
  if (record.deferredBytes > 0) {
    dues.push(Math.max(budgetReadyMs, visitedMs + intervals.visitMs * REVISIT * (1 + jitter)))
  }
  if (!isSame(record.standing, standing)) {
    dues.push(visitedMs + intervals.visitMs * REVISIT * (1 + jitter))
  }
  return Math.min(...dues)
}

/** Whether a visit is to renew leases. */
export function isRenewalDue(
  record: RootRecord,
  {
    intervals,
    standing,
    nowMs,
  }: { intervals: CareIntervals; standing: readonly string[]; nowMs: number },
): boolean {
  // The visit after this one would be too late.
  const nextMs = record.renewedMs + intervals.renewMs - intervals.visitMs * (1 - JITTER)
  return record.isRenewalDue || nowMs >= nextMs || !isSame(record.standing, standing)
}

export function drillDueMs(record: RootRecord, intervals: CareIntervals, jitter: number): number {
  if (record.visitedMs === 0) return Infinity
  if (record.drilledMs === 0) return record.addedMs + intervals.drillMs * FIRST_DRILL * (1 + jitter)
  return record.drilledMs + intervals.drillMs * (1 - JITTER * jitter)
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at])
}

const JITTER = 0.15
/** Of the interval between visits: how soon after the last one something new is a reason to visit again. */
const REVISIT = 1 / 28
/** Of the interval between drills: what was just stored has just been seen. */
const FIRST_DRILL = 1 / 30
