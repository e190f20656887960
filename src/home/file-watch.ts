import { watch, type FSWatcher } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Clock } from '../foundation/clock.ts'
import { systemCodeOf } from '../foundation/error.ts'

export interface FileWatchOptions {
  readonly clock: Clock
  /** Called once at first, and whenever the file is another than before; never twice at a time. Must not reject. */
  readonly onChange: () => Promise<void>
  /** Tells of changes in a directory; by default the system does. */
  readonly watchDirectory?: typeof watch
}

/**
 * Tells when a file is replaced, made or removed: at once where the system tells of such things, and otherwise, as on
 * disks of other machines, by looking at it every now and then.
 *
 * @returns ends the watch
 */
export function watchFile(path: string, options: FileWatchOptions): () => void {
  const watching = new FileWatch(path, options)
  return () => {
    watching.end()
  }
}

class FileWatch {
  readonly #path: string
  readonly #options: FileWatchOptions
  #watcher: FSWatcher | undefined
  #seen: string | undefined
  #isLooking = false
  #isEnded = false
  #cancel: (() => void) | undefined
  #dueMs = Infinity

  constructor(path: string, options: FileWatchOptions) {
    this.#path = path
    this.#options = options
    this.#watcher = this.#watchDirectory(options.watchDirectory ?? watch)
    void this.#look()
  }

  end(): void {
    this.#isEnded = true
    this.#cancel?.()
    this.#watcher?.close()
  }

  /** Its directory, since a watch of the file itself would end with the file that is replaced. */
  #watchDirectory(watchDirectory: typeof watch): FSWatcher | undefined {
    const own = basename(this.#path)
    try {
      const watcher = watchDirectory(dirname(this.#path), { persistent: false }, (_, name) => {
        // Some systems do not say what has changed.
        if (name === null || name === own) this.#lookIn(SETTLE_MS)
      })
      watcher.on('error', () => {
        watcher.close()
        this.#watcher = undefined
        this.#lookIn(SETTLE_MS)
      })
      return watcher
    } catch {
      // No such thing on this disk, or no watches left.
      return undefined
    }
  }

  #lookIn(delayMs: number): void {
    const { clock } = this.#options
    const dueMs = clock.monotonicMs() + delayMs
    if (this.#isEnded || dueMs >= this.#dueMs) return
    this.#cancel?.()
    this.#dueMs = dueMs
    this.#cancel = clock.after(delayMs, () => {
      this.#dueMs = Infinity
      if (!this.#isLooking) void this.#look()
    })
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    // Before it is read: what is written meanwhile makes it another file than this.
    const state = await stateOf(this.#path)
    if (state !== this.#seen && !this.#isEnded) {
      this.#seen = state
      await this.#options.onChange()
    }
    this.#isLooking = false
    this.#lookIn(this.#watcher === undefined ? LOOK_INTERVAL_MS : DOUBTFUL_LOOK_INTERVAL_MS)
  }
}

/** Tells one state of a file from the next, without reading it. */
async function stateOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (thrown) {
    return `none: ${systemCodeOf(thrown)}`
  }
}

/** Whoever writes a file in place may not be done with the first piece. */
const SETTLE_MS = 50
/** How often to look where the system tells nothing. */
const LOOK_INTERVAL_MS = 500
/** How often to look where it should tell, and may not tell all. */
const DOUBTFUL_LOOK_INTERVAL_MS = 5_000
