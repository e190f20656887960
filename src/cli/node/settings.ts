import { concatBytes, toHex } from '../../foundation/bytes.ts'
import { sleep, type Clock } from '../../foundation/clock.ts'
import { messageOf } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import { sha256 } from '../../crypto/hash.ts'
import { watchFile } from '../../home/file-watch.ts'
import { readIfThere } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readRunning } from '../../home/running-file.ts'
import { readNodeFile, type NodeFile } from '../../home/node-file.ts'

/** The settings of a node that runs, which follow its file. */
export class NodeSettings implements Disposable {
  readonly #path: string
  readonly #clock: Clock
  #current: NodeFile
  #stop: (() => void) | undefined

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
    let isFirst = true
    const follow = async (): Promise<void> => {
      const node = await readNodeFile(this.#path)
      if (node === undefined) {
        handlers.onFlaw(`The file ${this.#path} is gone; what it last said still holds.`)
        return
      }
      const isSame = JSON.stringify(node) === JSON.stringify(this.#current)
      this.#current = node
      // Only what was read when the node started needs no telling; a file that says the same in other words does.
      if (!isSame || !isFirst) await handlers.onChange(node)
    }
    this.#stop = watchFile(this.#path, {
      clock: this.#clock,
      onChange: async () => {
        await follow().catch((error: unknown) => {
          handlers.onFlaw(messageOf(error))
        })
        isFirst = false
      },
    })
  }

  [Symbol.dispose](): void {
    this.#stop?.()
  }
}

/** What names the settings that a running node goes by. */
export async function settingsDigest({
  node,
  bandwidth,
}: Pick<HomeFiles, 'node' | 'bandwidth'>): Promise<string> {
  const hashes = []
  for (const path of [node, bandwidth]) {
    hashes.push(sha256((await readIfThere(path)) ?? new Uint8Array()))
  }
  return toHex(sha256(concatBytes(hashes)).subarray(0, 8))
}

/** Whether a running node goes by new settings; `late` if it has not taken them up in time. */
export type Applied = 'running' | 'not-running' | 'late'

const APPLY_TIMEOUT_MS = 10_000
const APPLY_POLL_MS = 50

/** Waits until the running node of a home goes by its settings as they are now. */
export async function waitUntilApplied(files: HomeFiles, signal: AbortSignal): Promise<Applied> {
  const wanted = await settingsDigest(files)
  const deadlineMs = systemClock.monotonicMs() + APPLY_TIMEOUT_MS
  for (;;) {
    const running = await readRunning(files.running)
    if (running === undefined) return 'not-running'
    if (running.settings === wanted) return 'running'
    if (systemClock.monotonicMs() > deadlineMs) return 'late'
    await sleep(systemClock, APPLY_POLL_MS, signal)
  }
}
