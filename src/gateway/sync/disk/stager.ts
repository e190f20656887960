import { join } from 'node:path'
import { startSha256, taggedHash } from '../../../crypto/hash.ts'
import { TAGS } from '../../../crypto/tags.ts'
import { toHex, utf8 } from '../../../foundation/bytes.ts'
import type { Clock } from '../../../foundation/clock.ts'
import { systemCodeOf } from '../../../foundation/error.ts'
import type { Randomness } from '../../../foundation/randomness.ts'
import type { ContentHash } from '../trees.ts'
import { lookAt } from './careful.ts'
import { FreeSpace } from './free-space.ts'
import type { FileSystem, WritableHandle } from './file-system.ts'
import { namesIn } from './keepsakes.ts'
import { findBegun, ProgressLog, type Begun } from './progress-log.ts'
import type { ContentName, IncomingFile, StagedFile } from './sync-disk.ts'

export interface StagerOptions {
  readonly files: FileSystem
  readonly temporaries: string
  readonly clock: Clock
  readonly randomness: Randomness
  /** Told that something may be left that nobody looks after. */
  readonly onLeft: () => void
  /** From which size on an interrupted content is kept, and after how many bytes more it is noted how far it has come. */
  readonly unfinished?: { readonly minBytes: number; readonly stepBytes: number } | undefined
}

/** Less is fetched anew; noting it all would cost as much. */
const UNFINISHED = { minBytes: 8 * 1024 * 1024, stepBytes: 4 * 1024 * 1024 }
/** So many unfinished contents are kept after a crash, the newest, and for so long. */
const MAX_UNFINISHED = 32
const MAX_UNFINISHED_MS = 14 * 24 * 3_600_000

/**
 * Writes contents that arrive among the temporaries. Of a large one that is interrupted, by whatever, what has come is kept
 * under a name of its content's: whoever asks for the same again goes on after it.
 */
export class Stager {
  readonly #options: StagerOptions
  readonly #files: FileSystem
  readonly #freeSpace: FreeSpace
  readonly #minBytes: number
  readonly #stepBytes: number
  readonly #unfinished = new Set<string>()
  readonly #inUse = new Set<string>()

  constructor(options: StagerOptions) {
    const { minBytes, stepBytes } = options.unfinished ?? UNFINISHED
    this.#options = options
    this.#files = options.files
    this.#freeSpace = new FreeSpace(options.files, options.clock, options.temporaries)
    this.#minBytes = minBytes
    this.#stepBytes = stepBytes
  }

  /** Whether a name in the directory of temporaries is of something unfinished. */
  isUnfinished(name: string): boolean {
    return NAME.test(name)
  }

  /** Finds what a crash, or an earlier process, has left; what is too old or too much of it goes. */
  async adopt(): Promise<void> {
    this.#unfinished.clear()
    const nowMs = this.#options.clock.nowMs()
    const found = new Map<string, number>()
    for (const file of namesIn(this.#files, this.#options.temporaries)) {
      if (!this.isUnfinished(file)) continue
      const name = file.replace(LOG, '')
      const { mtimeMs } = this.#files.lstatNow(join(this.#options.temporaries, file))
      found.set(name, Math.max(found.get(name) ?? 0, Number(mtimeMs)))
    }
    const newestFirst = [...found].sort(([, a], [, b]) => b - a)
    for (const [at, [name, mtimeMs]] of newestFirst.entries()) {
      this.#unfinished.add(name)
      const isWhole = [name, name + LOG].every((file) => lookAt(this.#files, this.#at(file)))
      const isOld = at >= MAX_UNFINISHED || nowMs - mtimeMs > MAX_UNFINISHED_MS
      if (!isWhole || isOld) await this.#clear(name)
    }
  }

  /** @throws what the disk and `chunks` throw */
  async stage(content: IncomingFile): Promise<SystemStagedFile> {
    const { name, sizeBytes } = content
    const kept = name !== undefined && sizeBytes >= this.#minBytes ? fileOf(name) : undefined
    // The same content may be on its way to another place, too.
    if (kept === undefined || this.#inUse.has(kept)) return await this.#stageOnce(content)
    this.#inUse.add(kept)
    let isInterrupted = false
    try {
      const begun = await this.#begunOf(kept, sizeBytes)
      await this.#makeRoom(sizeBytes - (begun?.sizeBytes ?? 0))
      const at = this.#at(kept)
      const log = await ProgressLog.open(this.#files, at + LOG, {
        begun,
        stepBytes: this.#stepBytes,
      })
      try {
        const hash = await this.#write(at, content, {
          begun,
          log,
          onInterrupted: () => (isInterrupted = true),
        })
        const release = async (isOver: boolean): Promise<void> => await this.#release(kept, isOver)
        return new SystemStagedFile({ at, hash, release, onLeft: this.#options.onLeft })
      } finally {
        await log.close()
      }
    } catch (thrown) {
      await this.#release(kept, !isInterrupted).catch(this.#options.onLeft)
      throw thrown
    }
  }

  /** What nobody asks for any more goes. */
  async dropUnfinished(wanted: ReadonlySet<ContentName>): Promise<void> {
    if (this.#unfinished.size === 0) return
    const kept = new Set([...wanted].map(fileOf))
    for (const name of this.#unfinished) if (!kept.has(name)) await this.#clear(name)
  }

  async #stageOnce(content: IncomingFile): Promise<SystemStagedFile> {
    await this.#makeRoom(content.sizeBytes)
    const at = this.#at(toHex(this.#options.randomness.bytes(12)))
    try {
      const hash = await this.#write(at, content)
      const staged: SystemStagedFile = new SystemStagedFile({
        at,
        hash,
        release: async () => {
          if (!staged.isPlaced) await this.#files.unlink(at)
        },
        onLeft: this.#options.onLeft,
      })
      return staged
    } catch (thrown) {
      this.#options.onLeft()
      throw thrown
    }
  }

  /** What can be gone on with; anything else under its name makes way. */
  async #begunOf(name: string, sizeBytes: number): Promise<Begun | undefined> {
    const at = this.#at(name)
    const begun = await findBegun(this.#files, { at, log: at + LOG, sizeBytes })
    if (begun === undefined) await this.#clear(name)
    return begun
  }

  async #write(
    at: string,
    { chunks, isExecutable, mtimeMs }: IncomingFile,
    unfinished?: {
      readonly begun: Begun | undefined
      readonly log: ProgressLog
      /** The content has stopped coming; what has come is good. */
      readonly onInterrupted: () => void
    },
  ): Promise<ContentHash> {
    const { begun, log } = unfinished ?? {}
    const hash = begun?.hash ?? startSha256()
    let sizeBytes = begun?.sizeBytes ?? 0
    const file =
      begun === undefined
        ? await this.#files.create(at, { isExecutable })
        : await this.#files.reopen(at, sizeBytes)
    try {
      for await (const chunk of telling(chunks(sizeBytes), unfinished?.onInterrupted)) {
        hash.update(chunk)
        await file.write(chunk)
        sizeBytes += chunk.length
        await log?.note(sizeBytes, hash)
      }
      await log?.note(sizeBytes, hash, { isEnd: true })
      await this.#finish(file, mtimeMs)
    } finally {
      await file.close()
    }
    return toHex(hash.digest()) as ContentHash
  }

  async #finish(file: WritableHandle, mtimeMs: number): Promise<void> {
    await file.setTimes({ atimeMs: this.#options.clock.nowMs(), mtimeMs })
    await file.sync()
  }

  /** So that a full disk costs no traffic. @throws ENOSPC */
  async #makeRoom(bytes: number): Promise<void> {
    const idle = [...this.#unfinished].filter((name) => !this.#inUse.has(name))
    try {
      await this.#freeSpace.take(bytes)
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'ENOSPC' || idle.length === 0) throw thrown
      for (const name of idle) await this.#clear(name)
      await this.#freeSpace.take(bytes)
    }
  }

  async #release(name: string, isOver: boolean): Promise<void> {
    this.#inUse.delete(name)
    this.#unfinished.add(name)
    if (isOver) await this.#clear(name)
  }

  async #clear(name: string): Promise<void> {
    for (const file of [name, name + LOG]) await this.#files.unlink(this.#at(file))
    this.#unfinished.delete(name)
  }

  #at(name: string): string {
    return join(this.#options.temporaries, name)
  }
}

/** What was fetched, and waits among the temporaries. */
export class SystemStagedFile implements StagedFile {
  readonly at: string
  readonly hash: ContentHash
  /** It is in its place, and no temporary any more. */
  isPlaced = false
  readonly #release: (isOver: boolean) => Promise<void>
  readonly #onLeft: () => void
  #isReleased = false

  /**
   * @param about.release - removes what is still there, or if it is not over keeps what may be asked for again
   * @param about.onLeft - told that something could not be removed
   */
  constructor({
    at,
    hash,
    release,
    onLeft,
  }: {
    at: string
    hash: ContentHash
    release: (isOver: boolean) => Promise<void>
    onLeft: () => void
  }) {
    this.at = at
    this.hash = hash
    this.#release = release
    this.#onLeft = onLeft
  }

  async discard(): Promise<void> {
    await this.#end(true)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(this.isPlaced)
  }

  async #end(isOver: boolean): Promise<void> {
    if (this.#isReleased) return
    this.#isReleased = true
    await this.#release(isOver).catch(this.#onLeft)
  }
}

const LOG = '.log'
const NAME = /^unfinished-[0-9a-f]{32}(\.log)?$/

function fileOf(name: ContentName): string {
  return `unfinished-${toHex(taggedHash(TAGS.unfinished, utf8(name)).subarray(0, 16))}`
}

/** Tells when it is the source that fails. */
async function* telling(
  source: AsyncIterable<Uint8Array>,
  onFailed: (() => void) | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } catch (thrown) {
    onFailed?.()
    throw thrown
  }
}
