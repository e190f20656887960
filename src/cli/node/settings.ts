import { stat } from 'node:fs/promises'
import { toHex } from '../../foundation/bytes.ts'
import { sleep, type Clock } from '../../foundation/clock.ts'
import { messageOf } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import { sha256 } from '../../crypto/hash.ts'
import { readIfThere } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readRunning } from '../../home/running-file.ts'
import { readNodeFile, type NodeFile } from '../../home/node-file.ts'

/** How often a running node looks whether its settings have changed: no signal, which Windows would not have. */
const LOOK_INTERVAL_MS = 500

/** The settings of a node that runs, which follow its file. */
export class NodeSettings implements Disposable {
  readonly #path: string
  readonly #clock: Clock
  #current: NodeFile
  #seen = ''
  #cancel: (() => void) | undefined

  private constructor(path: string, clock: Clock, first: NodeFile) {
    this.#path = path
    this.#clock = clock
    this.#current = first
  }

  /** @returns undefined if there is no such file. @throws HomeError */
  static async open(path: string, clock: Clock): Promise<NodeSettings | undefined> {
    const first = await readNodeFile(path)
    return first === undefined ? undefined : new NodeSettings(path, clock, first)
  }

  get current(): NodeFile {
    return this.#current
  }

  /** Calls `onChange` with new settings, and `onFlaw` with why they cannot be used, in which case the old ones hold. */
  watch(handlers: {
    readonly onChange: (node: NodeFile) => Promise<void>
    readonly onFlaw: (why: string) => void
  }): void {
    const look = async (): Promise<void> => {
      try {
        const state = await stateOf(this.#path)
        if (state !== this.#seen) {
          const first = this.#seen === ''
          this.#seen = state
          const node = await readNodeFile(this.#path)
          const isNew = node !== undefined && JSON.stringify(node) !== JSON.stringify(this.#current)
          if (node !== undefined) this.#current = node
          if (node !== undefined && (isNew || !first)) await handlers.onChange(node)
        }
      } catch (error) {
        handlers.onFlaw(messageOf(error))
      }
      if (this.#cancel !== undefined) schedule()
    }
    const schedule = (): void => {
      this.#cancel = this.#clock.after(LOOK_INTERVAL_MS, () => void look())
    }
    schedule()
  }

  [Symbol.dispose](): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}

/** Tells one state of a file from the next, without reading it. */
async function stateOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path)
  return `${mtimeMs} ${size} ${ino}`
}

/** What names the settings that a running node goes by. */
export async function settingsDigest(path: string): Promise<string> {
  return toHex(sha256((await readIfThere(path)) ?? new Uint8Array()).subarray(0, 8))
}

/** Whether a running node goes by new settings; `late` if it has not taken them up in time. */
export type Applied = 'running' | 'not-running' | 'late'

const APPLY_TIMEOUT_MS = 10_000
const APPLY_POLL_MS = 50

/** Waits until the running node of a home goes by its settings as they are now. */
export async function waitUntilApplied(files: HomeFiles, signal: AbortSignal): Promise<Applied> {
  const wanted = await settingsDigest(files.node)
  const deadlineMs = systemClock.monotonicMs() + APPLY_TIMEOUT_MS
  for (;;) {
    const running = await readRunning(files.running)
    if (running === undefined) return 'not-running'
    if (running.settings === wanted) return 'running'
    if (systemClock.monotonicMs() > deadlineMs) return 'late'
    await sleep(systemClock, APPLY_POLL_MS, signal)
  }
}
