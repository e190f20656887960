import { sleep } from '../foundation/clock.ts'
import { messageOf } from '../foundation/error.ts'
import { viewOf, allocateBytes } from '../foundation/bytes.ts'
import type { KeyValueStore } from './disk.ts'
import { ID_PREFIXES, SCRUB_KEY } from './rows.ts'
import { sweepFiles, type ScrubOptions, type Upkeep } from './upkeep.ts'

const HOUR_MS = 3600_000
/** Each share and record is read about once in this time. */
const SCRUB_ROUND_MS = 30 * 24 * HOUR_MS
/** How often some of the scrub's round is done, and the collection run. */
const TICK_MS = HOUR_MS
/** The most that a tick makes good of what was missed while the node was off: a day's part of a round. */
const MAX_CATCH_UP_MS = 24 * HOUR_MS
/** Of the disk's bandwidth, what a home computer does not notice. A terabyte takes a day and a half. */
const SCRUB_BYTES_PER_S = 8 * 1024 * 1024

/**
 * What a node does by itself: at once, looks for what a crash left behind; then every hour collects garbage and scrubs
 * the next part of what it keeps, where it left off even if the node was away. Runs until the signal fires; a failure is
 * reported and tried again an hour later.
 */
export async function maintain(
  upkeep: Upkeep & {
    readonly rows: Pick<KeyValueStore, 'get' | 'write'>
    readonly collect: () => Promise<unknown>
    readonly scrub: (options: ScrubOptions) => Promise<unknown>
  },
): Promise<void> {
  const { clock, signal } = upkeep
  await attempt(upkeep, () => keepTime(upkeep))
  await attempt(upkeep, () => sweepFiles(upkeep))
  while (!signal.aborted) {
    await sleep(clock, TICK_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    await attempt(upkeep, () => keepTime(upkeep))
    await attempt(upkeep, () => upkeep.collect())
    await attempt(upkeep, () => scrubNext(upkeep))
  }
}

async function keepTime({ store, report }: Upkeep): Promise<void> {
  const jumpMs = await store.leaseClock.save()
  if (jumpMs > 0) report({ kind: 'clock-jumped', jumpMs })
}

async function attempt({ report, signal }: Upkeep, work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!signal.aborted) report({ kind: 'disk-error', message: messageOf(error) })
  }
}

/** Scrubs the part of the round that time has come for; at a round's end, the books are added up again. */
async function scrubNext({
  rows,
  store,
  clock,
  report,
  scrub,
}: Parameters<typeof maintain>[0]): Promise<void> {
  const nowMs = clock.nowMs()
  const { next, atMs } = decodeProgress(await rows.get(SCRUB_KEY)) ?? {
    next: 0,
    atMs: nowMs - TICK_MS,
  }
  const elapsedMs = Math.min(Math.max(nowMs - atMs, 0), MAX_CATCH_UP_MS)
  const end = Math.min(next + Math.ceil((elapsedMs / SCRUB_ROUND_MS) * ID_PREFIXES), ID_PREFIXES)
  await scrub({ first: next, end, bytesPerS: SCRUB_BYTES_PER_S, endsRound: true })
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
