import { mapConcurrently, Semaphore } from '../../foundation/concurrency.ts'
import { systemClock } from '../../foundation/system.ts'
import { SystemFailureError } from '../../foundation/system-failure.ts'
import type { FolderWriter } from '../../folders/service/folder.ts'
import type { LocalFiles } from '../../home/local-files.ts'
import { slotKeyHex, type SlotKeyHex } from '../../protocol/slot-key.ts'
import { CliError, failureOf } from '../failures.ts'
import { openProgress } from '../progress.ts'
import { openSource } from '../source.ts'
import { count, type Terminal } from '../terminal.ts'
import { Totals } from '../totals.ts'
import { CommitQueue } from './commit-queue.ts'
import { contentTag, hasState, saysSame, signatureOf, stateOf } from './local-state.ts'
import type { FailedFile, PlannedFile, UploadPlan } from './upload-plan.ts'

/** What became of it. */
export interface UploadReport {
  readonly stored: number
  readonly storedBytes: number
  readonly unchanged: number
  readonly unchangedBytes: number
  readonly directoriesMade: number
  readonly sentBytes: number
  readonly isDegraded: boolean
  /** Conflict copies that came up, as others wrote at the same time. */
  readonly conflicts: number
  readonly failed: readonly FailedFile[]
}

/** Small files wait for the disks of their nodes, not for bytes: many at once share messages and commits there. */
const FILES_AT_ONCE = 128
/** Bytes of files in flight: large ones fill the pipeline one by one, and together would only need more memory. */
const BYTES_AT_ONCE = 8 * 1024 * 1024
/** What a file costs besides its bytes, so that even empty ones are bounded. */
const FILE_OVERHEAD_BYTES = 4096
/** How often what was learnt of local files is written down while there is more to come. */
const SAVE_EVERY_MS = 30_000

interface UploadTools {
  /** What the local files were when they were last put here. */
  readonly remembered: LocalFiles
  readonly label: string
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Sends what a folder does not have yet, many files at once, and commits it in batches. */
export async function upload(plan: UploadPlan, tools: UploadTools): Promise<UploadReport> {
  const changed = plan.files.filter((planned) => !isUnchanged(planned, tools.remembered))
  const run = new Upload(tools)
  for (const { folder, path } of plan.directories) await run.makeDirectory(folder, path)
  try {
    await run.putAll(changed)
    await run.finish()
  } finally {
    await tools.remembered.save()
  }
  const unchanged = plan.files.length - changed.length
  const unchangedBytes = sum(plan.files) - sum(changed)
  return run.report({ unchanged, unchangedBytes, failed: plan.failed })
}

/** Whether the folder has it, by what is remembered of the disk and not by reading it. */
function isUnchanged({ file, path, shown }: PlannedFile, remembered: LocalFiles): boolean {
  if (shown === undefined) return false
  const { entry } = shown
  if (file.kind === 'symlink') return entry.kind === 'symlink' && entry.target === file.target
  const tag = contentTag(entry)
  if (tag === undefined || !hasState(entry, stateOf(file.stats))) return false
  return remembered.isUnchanged(path.join('/'), signatureOf(file.stats), tag)
}

function sum(files: readonly PlannedFile[]): number {
  return files.reduce((total, { file }) => total + bytesOf(file), 0)
}

function bytesOf({ kind, stats }: PlannedFile['file']): number {
  return kind === 'file' ? Number(stats.size) : 0
}

class Upload {
  readonly #tools: UploadTools
  readonly #queues = new Map<SlotKeyHex, CommitQueue>()
  readonly #failed: FailedFile[] = []
  readonly #bytes = new Semaphore(BYTES_AT_ONCE)
  #stored = 0
  #storedBytes = 0
  #unchanged = 0
  #unchangedBytes = 0
  #directoriesMade = 0
  #savedAtMs = systemClock.monotonicMs()

  constructor(tools: UploadTools) {
    this.#tools = tools
  }

  async makeDirectory(folder: FolderWriter, path: PlannedFile['path']): Promise<void> {
    if (path.length === 0) return
    this.#directoriesMade += 1
    await this.#queueOf(folder).add({ kind: 'make-directory', path })
  }

  async putAll(files: readonly PlannedFile[]): Promise<void> {
    const { terminal, label } = this.#tools
    const progress = await openProgress(terminal, { label, clock: systemClock })
    const totals = new Totals(progress)
    totals.expect(sum(files))
    try {
      await mapConcurrently(files, FILES_AT_ONCE, async (planned) => {
        await this.#put(planned, totals)
      })
    } finally {
      progress.stop()
    }
  }

  async finish(): Promise<void> {
    for (const queue of this.#queues.values()) await queue.finish()
  }

  report(rest: Pick<UploadReport, 'unchanged' | 'unchangedBytes' | 'failed'>): UploadReport {
    const results = [...this.#queues.values()].map(({ result }) => result)
    return {
      stored: this.#stored,
      storedBytes: this.#storedBytes,
      unchanged: rest.unchanged + this.#unchanged,
      unchangedBytes: rest.unchangedBytes + this.#unchangedBytes,
      directoriesMade: this.#directoriesMade,
      sentBytes: results.reduce((total, { sentBytes }) => total + sentBytes, 0),
      isDegraded: results.some(({ isDegraded }) => isDegraded),
      conflicts: results.reduce((total, { conflicts }) => total + conflicts, 0),
      failed: [...rest.failed, ...this.#failed],
    }
  }

  async #put(planned: PlannedFile, totals: Totals): Promise<void> {
    const { signal } = this.#tools
    signal.throwIfAborted()
    const release = await this.#bytes.acquire(FILE_OVERHEAD_BYTES + bytesOf(planned.file), signal)
    try {
      if (planned.file.kind === 'symlink') await this.#putLink(planned, planned.file)
      else await this.#putFile(planned, totals)
    } catch (thrown) {
      // A file that cannot be read is left out; where the grid cannot take one, it takes none.
      const isLocal = thrown instanceof CliError || thrown instanceof SystemFailureError
      if (signal.aborted || !isLocal) throw thrown
      this.#failed.push({ at: planned.file.at, failure: failureOf(thrown) })
    } finally {
      release()
    }
  }

  async #putLink(
    { folder, path }: PlannedFile,
    { stats, target }: PlannedFile['file'] & { kind: 'symlink' },
  ): Promise<void> {
    const { mtimeMs } = stateOf(stats)
    const content = { kind: 'symlink' as const, target, mtimeMs }
    this.#stored += 1
    await this.#queueOf(folder).add({ kind: 'put', path, content })
  }

  async #putFile({ file, folder, path, shown }: PlannedFile, totals: Totals): Promise<void> {
    const { remembered, signal } = this.#tools
    await using source = await openSource(file.at, { follow: false })
    const stats = source.stats ?? file.stats
    const content = await folder.putFile(totals.counting(source.chunks), {
      ...stateOf(stats),
      signal,
    })
    const remember = (): void => {
      const tag = contentTag(content)
      if (tag !== undefined) remembered.remember(path.join('/'), signatureOf(stats), tag)
      void this.#saveAtTimes()
    }
    if (shown !== undefined && saysSame(shown.entry, content)) {
      this.#unchanged += 1
      this.#unchangedBytes += Number(stats.size)
      remember()
      return
    }
    this.#stored += 1
    this.#storedBytes += Number(stats.size)
    await this.#queueOf(folder).add({ kind: 'put', path, content }, remember)
  }

  async #saveAtTimes(): Promise<void> {
    const nowMs = systemClock.monotonicMs()
    if (nowMs - this.#savedAtMs < SAVE_EVERY_MS) return
    this.#savedAtMs = nowMs
    await this.#tools.remembered.save()
  }

  #queueOf(folder: FolderWriter): CommitQueue {
    const slot = slotKeyHex(folder.capability.slot)
    const { signal } = this.#tools
    const queue = this.#queues.get(slot) ?? new CommitQueue(folder, { clock: systemClock, signal })
    this.#queues.set(slot, queue)
    return queue
  }
}

/** What a progress line says of so many files. */
export function uploadLabel(plan: UploadPlan, name: string): string {
  return plan.files.length === 1 ? `Putting ${name}` : `Putting ${count(plan.files.length, 'file')}`
}
