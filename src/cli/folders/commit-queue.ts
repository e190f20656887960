import type { Edit } from '../../folders/commit/edits.ts'
import type { FolderWriter } from '../../folders/service/folder.ts'
import type { Clock } from '../../foundation/clock.ts'
import { Semaphore } from '../../foundation/concurrency.ts'

/**
 * Gathers edits of one folder into commits, one at a time: the first that comes waits {@link GATHER_MS} for others, or
 * until there are {@link MAX_EDITS}. So thousands of files are a handful of commits, and what is stopped has kept all but
 * the last moments.
 */
export class CommitQueue {
  readonly #folder: FolderWriter
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #committing = new Semaphore(1)
  /** So that what is uploaded does not run far ahead of what is committed. */
  readonly #room = new Semaphore(2 * MAX_EDITS)
  #waiting: Waiting[] = []
  #cancelTimer: (() => void) | undefined
  #failure: { readonly thrown: unknown } | undefined
  #running: Promise<void> = Promise.resolve()
  #sentBytes = 0
  #isDegraded = false
  #conflicts = 0

  constructor(folder: FolderWriter, options: { clock: Clock; signal: AbortSignal }) {
    this.#folder = folder
    this.#clock = options.clock
    this.#signal = options.signal
  }

  /** What the commits sent and found so far. */
  get result(): {
    readonly sentBytes: number
    readonly isDegraded: boolean
    readonly conflicts: number
  } {
    const [sentBytes, isDegraded] = [this.#sentBytes, this.#isDegraded]
    return { sentBytes, isDegraded, conflicts: this.#conflicts }
  }

  /**
   * Takes an edit; resolves when there is room for more, long before it is committed.
   * @param onCommitted called once it is
   * @throws what an earlier commit threw
   */
  async add(edit: Edit, onCommitted?: () => void): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.thrown
    const release = await this.#room.acquire(1, this.#signal)
    this.#waiting.push({ edit, onCommitted, release })
    if (this.#waiting.length >= MAX_EDITS) this.#begin()
    else this.#cancelTimer ??= this.#clock.after(GATHER_MS, () => this.#begin())
  }

  /** Resolves when all edits are committed. @throws what a commit threw */
  async finish(): Promise<void> {
    this.#begin()
    await this.#running
    if (this.#failure !== undefined) throw this.#failure.thrown
  }

  #begin(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const batch = this.#waiting
    this.#waiting = []
    if (batch.length === 0) return
    this.#running = Promise.all([this.#running, this.#commit(batch)]).then(() => undefined)
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const release = await this.#committing.acquire()
    try {
      if (this.#failure !== undefined) return
      const edits = batch.map(({ edit }) => edit)
      const result = await this.#folder.edit(edits, { signal: this.#signal })
      this.#sentBytes += result.sentBytes
      this.#conflicts += result.conflicts.length
      this.#isDegraded ||= result.durability === 'degraded'
      for (const { onCommitted } of batch) onCommitted?.()
    } catch (thrown) {
      // It is told where the next edit comes, or at the end.
      this.#failure = { thrown }
    } finally {
      for (const each of batch) each.release()
      release()
    }
  }
}

interface Waiting {
  readonly edit: Edit
  readonly onCommitted: (() => void) | undefined
  readonly release: () => void
}

/** Rewriting a folder's tree for one file costs as much as for hundreds. */
const GATHER_MS = 2_000
const MAX_EDITS = 2_000
