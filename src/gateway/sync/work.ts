import type { Clock } from '../../foundation/clock.ts'

/** How far what a sync is doing has come, for people to see. */
export interface SyncWork {
  /** `reading`: files of the disk that are not as they were, of which nobody knows yet how many there are. */
  readonly kind: 'reading' | 'sending' | 'fetching'
  readonly doneFiles: number
  /** Null where it is not known. */
  readonly files: number | null
  readonly doneBytes: number
  readonly bytes: number | null
  readonly elapsedMs: number
}

/** One file of those that are counted. */
export interface FileWork {
  /** So many bytes of it are done by now. */
  reached(bytes: number): void
  /** It is over, whether it came over or not. */
  end(): void
}

type Counts = Pick<SyncWork, 'kind' | 'files' | 'bytes'>

/** Nobody reads faster. */
const TELL_INTERVAL_MS = 1_000

/** Counts what a sync does. Whoever asks is told; who wants to be told is, once a second at most. */
export class WorkMeter {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #onWork: ((work: SyncWork) => void) | undefined
  #counts: Counts | undefined
  #doneFiles = 0
  #doneBytes = 0
  #startedMs = 0
  #toldMs = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>, onWork?: (work: SyncWork) => void) {
    this.#clock = clock
    this.#onWork = onWork
  }

  /** Undefined where nothing is going on that takes long. */
  get now(): SyncWork | undefined {
    if (this.#counts === undefined) return undefined
    const [doneFiles, doneBytes] = [this.#doneFiles, this.#doneBytes]
    const elapsedMs = Math.round(this.#clock.monotonicMs() - this.#startedMs)
    return { ...this.#counts, doneFiles, doneBytes, elapsedMs }
  }

  /** Counts from nothing, until what it returns is disposed of. */
  begin(counts: Counts): Disposable {
    this.#counts = counts
    this.#doneFiles = 0
    this.#doneBytes = 0
    this.#startedMs = this.#clock.monotonicMs()
    this.#toldMs = this.#startedMs
    return { [Symbol.dispose]: () => (this.#counts = undefined) }
  }

  /** @param sizeBytes - what it counts for once it is over */
  file(sizeBytes: number): FileWork {
    let doneBytes = 0
    const reached = (bytes: number): void => {
      const now = Math.max(doneBytes, Math.min(bytes, sizeBytes))
      this.#doneBytes += now - doneBytes
      doneBytes = now
      this.#tell()
    }
    const end = (): void => {
      this.#doneFiles++
      reached(sizeBytes)
    }
    return { reached, end }
  }

  #tell(): void {
    if (this.#onWork === undefined) return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#toldMs < TELL_INTERVAL_MS) return
    this.#toldMs = nowMs
    const work = this.now
    if (work !== undefined) this.#onWork(work)
  }
}
