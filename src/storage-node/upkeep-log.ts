import { allocateBytes, viewOf } from '../foundation/bytes.ts'
import type { KeyValueStore } from './disk.ts'
import { UPKEEP_LOG_KEY } from './rows.ts'

/** What a node remembers of its own upkeep, by the calendar in milliseconds; undefined where it never happened. */
export interface UpkeepHistory {
  /** When garbage was last collected. */
  readonly collectedMs?: number
  /** When some part of what is kept was last read and checked. */
  readonly scrubbedMs?: number
  /** When all of it had last been. */
  readonly roundMs?: number
  /** Shares and records that were ever found gone or rotten. */
  readonly lost: number
}

/** Keeps {@link UpkeepHistory} in one row: four numbers of 64 bits, 0 for never. */
export class UpkeepLog {
  readonly #rows: Pick<KeyValueStore, 'get' | 'write'>

  constructor(rows: Pick<KeyValueStore, 'get' | 'write'>) {
    this.#rows = rows
  }

  async read(): Promise<UpkeepHistory> {
    const bytes = await this.#rows.get(UPKEEP_LOG_KEY)
    if (bytes?.length !== ROW_BYTES) return { lost: 0 }
    const [collectedMs = 0, scrubbedMs = 0, roundMs = 0, lost = 0] = [0, 8, 16, 24].map((at) =>
      viewOf(bytes).getFloat64(at),
    )
    return {
      ...(collectedMs > 0 && { collectedMs }),
      ...(scrubbedMs > 0 && { scrubbedMs }),
      ...(roundMs > 0 && { roundMs }),
      lost,
    }
  }

  /** Takes note of something; `lost` is added to what was lost before. */
  async note(news: Partial<UpkeepHistory>): Promise<void> {
    const before = await this.read()
    const { collectedMs = 0, scrubbedMs = 0, roundMs = 0 } = { ...before, ...news }
    const lost = before.lost + (news.lost ?? 0)
    const value = allocateBytes(ROW_BYTES)
    for (const [at, number] of [collectedMs, scrubbedMs, roundMs, lost].entries()) {
      viewOf(value).setFloat64(at * 8, number)
    }
    await this.#rows.write([{ key: UPKEEP_LOG_KEY, value }])
  }
}

const ROW_BYTES = 32
