import { sleep } from '../foundation/clock.ts'
import { messageOf } from '../foundation/error.ts'
import { viewOf, allocateBytes } from '../foundation/bytes.ts'
import type { KeyValueStore } from './disk.ts'
import { ID_PREFIXES, SCRUB_KEY } from './rows.ts'
import { collectGarbage, scrubShares, sweepFiles, type Upkeep } from './upkeep.ts'

const HOUR_MS = 3600_000
/** Each share is read about once in this time. */
const SCRUB_ROUND_MS = 30 * 24 * HOUR_MS
/** How often some of the scrub's round is done, and the collection run. */
const TICK_MS = HOUR_MS
/** The most that a tick makes good of what was missed while the node was off: a day's part of a round. */
const MAX_CATCH_UP_MS = 24 * HOUR_MS
/** Of the disk's bandwidth, what a home computer does not notice. A terabyte takes a day and a half. */
const SCRUB_BYTES_PER_S = 8 * 1024 * 1024
/** The machine's clock and time itself may part by so much in a tick before the clock is doubted. */
const MAX_CLOCK_JUMP_MS = 24 * HOUR_MS

/**
 * What a node does by itself: at once, looks for what a crash left behind; then every hour collects garbage and scrubs
 * the next part of its shares, where it left off even if the node was away. Runs until the signal fires; a failure is
 * reported and tried again an hour later.
 */
export async function maintain(
  upkeep: Upkeep & { readonly rows: Pick<KeyValueStore, 'get' | 'write'> },
): Promise<void> {
  const { clock, signal } = upkeep
  await attempt(upkeep, () => sweepFiles(upkeep))
  let before = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
  while (!signal.aborted) {
    await sleep(clock, TICK_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    const now = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const jumpMs = now.wallMs - before.wallMs - (now.monotonicMs - before.monotonicMs)
    before = now
    // A wrong clock must not expire everybody's leases. If it is right after all (the computer slept), nothing is lost
    // by waiting for the next tick.
    if (jumpMs > MAX_CLOCK_JUMP_MS) upkeep.report({ kind: 'clock-jumped', jumpMs })
    else await attempt(upkeep, () => collectGarbage(upkeep))
    await attempt(upkeep, () => scrubNext(upkeep))
  }
}

async function attempt({ report, signal }: Upkeep, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal.aborted) report({ kind: 'disk-error', message: messageOf(error) })
  }
}

/** Scrubs the part of the round that time has come for; at a round's end, the books are added up again. */
async function scrubNext(
  upkeep: Upkeep & { readonly rows: Pick<KeyValueStore, 'get' | 'write'> },
): Promise<void> {
  const { rows, store, clock, report } = upkeep
  const nowMs = clock.nowMs()
  const { next, atMs } = decodeProgress(await rows.get(SCRUB_KEY)) ?? {
    next: 0,
    atMs: nowMs - TICK_MS,
  }
  const elapsedMs = Math.min(Math.max(nowMs - atMs, 0), MAX_CATCH_UP_MS)
  const end = Math.min(next + Math.ceil((elapsedMs / SCRUB_ROUND_MS) * ID_PREFIXES), ID_PREFIXES)
  await scrubShares(upkeep, { first: next, end, bytesPerS: SCRUB_BYTES_PER_S })
  await rows.write([
    { key: SCRUB_KEY, value: encodeProgress({ next: end % ID_PREFIXES, atMs: nowMs }) },
  ])
  if (end === ID_PREFIXES && !(await store.ledger.recount())) report({ kind: 'usage-corrected' })
}

interface ScrubProgress {
  /** The 16 bits that the next ids to scrub start with. */
  readonly next: number
  /** When the part before them was begun. */
  readonly atMs: number
}

function encodeProgress({ next, atMs }: ScrubProgress): Uint8Array {
  const bytes = allocateBytes(10)
  viewOf(bytes).setUint16(0, next)
  viewOf(bytes).setFloat64(2, atMs)
  return bytes
}

function decodeProgress(bytes: Uint8Array | undefined): ScrubProgress | undefined {
  if (bytes?.length !== 10) return undefined
  return { next: viewOf(bytes).getUint16(0), atMs: viewOf(bytes).getFloat64(2) }
}
