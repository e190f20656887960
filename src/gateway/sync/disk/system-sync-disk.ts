import type { BigIntStats } from 'node:fs'
import { lstat, mkdir, open, rename, rm, rmdir, symlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { startSha256 } from '../../../crypto/hash.ts'
import { toHex } from '../../../foundation/bytes.ts'
import type { Clock } from '../../../foundation/clock.ts'
import { systemCodeOf } from '../../../foundation/error.ts'
import type { Randomness } from '../../../foundation/randomness.ts'
import { describingFailures } from '../../../foundation/system-failure.ts'
import { parentOf, type ContentHash, type PathText } from '../trees.ts'
import { DiskPaths } from './disk-paths.ts'
import { hold, isAsExpected, isGone, linkFree, unlessGone } from './careful.ts'
import { openMarked } from './root-marker.ts'
import { READING, scanDirectory } from './scan.ts'
import { isExecutable, signatureOf } from './signature.ts'
import type {
  DiskOutcome,
  Guard,
  IncomingFile,
  OpenedFile,
  Scan,
  ScanOptions,
  Signature,
  StagedFile,
  SyncDisk,
} from './sync-disk.ts'

const READ_BYTES = 256 * 1024
const CHANGED: DiskOutcome = { kind: 'changed' }

interface SystemOptions {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly platform?: NodeJS.Platform | undefined
}

/**
 * A directory of the system's own. What is fetched waits in `.hayloft/tmp` and takes its place by one rename; what it replaces
 * is looked at through a second name before and after, so that no edit of the user's is ever lost.
 */
export class SystemSyncDisk implements SyncDisk {
  readonly #root: string
  readonly #id: string
  readonly #paths: DiskPaths
  readonly #options: SystemOptions
  /** Directories with changes that are not durable yet. */
  readonly #touched = new Set<string>()
  #isPrepared = false

  /** @param id tells which agreement the directory belongs to; asks for nothing yet */
  constructor(root: string, id: string, options: SystemOptions) {
    this.#root = root
    this.#id = id
    this.#options = options
    this.#paths = new DiskPaths(root, options.platform ?? process.platform)
  }

  /** @throws RootMissingError, RootTakenError */
  async scan({ known, signal }: ScanOptions): Promise<Scan> {
    await openMarked(this.#root, this.#id)
    if (!this.#isPrepared) await this.#prepare()
    return await scanDirectory(this.#paths, { known, signal, clock: this.#options.clock })
  }

  async open(path: PathText): Promise<OpenedFile | undefined> {
    const at = this.#paths.of(path)
    return await describingFailures(`The file ${at}`, async () => {
      const file = await unlessGone(open(at, READING))
      if (file === undefined) return undefined
      const stats = await file.stat({ bigint: true })
      if (!stats.isFile()) {
        await file.close()
        return undefined
      }
      return new SystemOpenedFile(file, at, stats)
    })
  }

  async stage({ chunks, mtimeMs, isExecutable }: IncomingFile): Promise<StagedFile> {
    const at = join(this.#temporaries, toHex(this.#options.randomness.bytes(12)))
    const hash = startSha256()
    await describingFailures(`The file ${at}`, async () => {
      try {
        const file = await open(at, 'wx', isExecutable ? 0o777 : 0o666)
        try {
          for await (const chunk of chunks) {
            hash.update(chunk)
            await file.writeFile(chunk)
          }
          await file.utimes(this.#options.clock.nowMs() / 1000, secondsOf(mtimeMs))
          await file.sync()
        } finally {
          await file.close()
        }
      } catch (thrown) {
        await rm(at, { force: true })
        throw thrown
      }
    })
    return new SystemStagedFile(at, toHex(hash.digest()) as ContentHash)
  }

  async place(staged: StagedFile, path: PathText, guard: Guard): Promise<DiskOutcome> {
    const { at: from } = staged as SystemStagedFile
    return await this.#arrive(from, path, guard)
  }

  async placeSymlink(target: string, path: PathText, guard: Guard): Promise<DiskOutcome> {
    const from = join(this.#temporaries, toHex(this.#options.randomness.bytes(12)))
    return await this.#changing(path, async () => {
      await symlink(target, from)
      try {
        return await this.#arrive(from, path, guard)
      } finally {
        await rm(from, { force: true })
      }
    })
  }

  async move(from: PathText, to: PathText, guard: Guard): Promise<DiskOutcome> {
    const source = this.#paths.of(from)
    return await this.#changing(to, async () => {
      if (!(await isAsExpected(source, guard)) || guard.expects === undefined) return CHANGED
      const target = this.#paths.of(to)
      if (!(await linkFree(source, target))) return CHANGED
      await rm(source, { force: true })
      this.#touch(from)
      return await this.#done(target)
    })
  }

  async remove(path: PathText, guard: Guard): Promise<DiskOutcome> {
    const at = this.#paths.of(path)
    return await this.#changing(path, async () => {
      if (guard.expects === undefined || !(await isAsExpected(at, guard))) return CHANGED
      // Taken aside first: what an editor replaces in this very moment is not what was looked at.
      const aside = join(this.#temporaries, toHex(this.#options.randomness.bytes(12)))
      await rename(at, aside)
      if (await isAsExpected(aside, guard)) await rm(aside)
      else if (!(await linkFree(aside, at))) await this.#keepBeside(aside, at)
      else {
        await rm(aside, { force: true })
        return CHANGED
      }
      return { kind: 'done' }
    })
  }

  async makeDirectory(path: PathText): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      try {
        await mkdir(this.#paths.of(path))
      } catch (thrown) {
        if (systemCodeOf(thrown) === 'EEXIST') return CHANGED
        throw thrown
      }
      return { kind: 'done' }
    })
  }

  async removeDirectory(path: PathText): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      try {
        await rmdir(this.#paths.of(path))
      } catch (thrown) {
        if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return CHANGED
        throw thrown
      }
      this.#touched.delete(this.#paths.of(path))
      return { kind: 'done' }
    })
  }

  async flush(): Promise<void> {
    const directories = [...this.#touched]
    this.#touched.clear()
    // Windows cannot open a directory, and makes renames durable by itself.
    if (process.platform === 'win32') return
    for (const at of directories) {
      const directory = await unlessGone(open(at, 'r'))
      if (directory === undefined) continue
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    }
  }

  /** Clears away what a crash left behind. */
  async #prepare(): Promise<void> {
    await describingFailures(`The directory ${this.#temporaries}`, async () => {
      await rm(this.#temporaries, { recursive: true, force: true })
      await mkdir(this.#temporaries)
    })
    this.#isPrepared = true
  }

  get #temporaries(): string {
    return join(this.#root, '.hayloft', 'tmp')
  }

  /** Lets `from` take the place of what is expected there. */
  async #arrive(from: string, path: PathText, guard: Guard): Promise<DiskOutcome> {
    const at = this.#paths.of(path)
    return await this.#changing(path, async () => {
      if (guard.expects === undefined) {
        if (!(await linkFree(from, at))) return CHANGED
        await rm(from, { force: true })
        return await this.#done(at)
      }
      const second = `${from}.old`
      if (!(await hold(at, second))) return CHANGED
      if (!(await isAsExpected(second, guard))) {
        await rm(second)
        return CHANGED
      }
      await rename(from, at)
      // Somebody may have had it open all the while, or replaced it just before.
      if (await isAsExpected(second, guard)) await rm(second)
      else await this.#keepBeside(second, at)
      return await this.#done(at)
    })
  }

  /** What must not be lost gets a name of its own beside its place, where the next scan finds it. */
  async #keepBeside(from: string, at: string): Promise<void> {
    for (let number = 1; ; number++) {
      const mark = number === 1 ? '' : ` ${number}`
      const free = at.replace(/(\.[^./\\]{1,16})?$/, (end) => ` (changed meanwhile${mark})${end}`)
      if (!(await linkFree(from, free))) continue
      await rm(from, { force: true })
      return
    }
  }

  async #done(at: string): Promise<DiskOutcome> {
    return { kind: 'done', signature: signatureOf(await lstat(at, { bigint: true })) }
  }

  async #changing(path: PathText, change: () => Promise<DiskOutcome>): Promise<DiskOutcome> {
    const at = this.#paths.of(path)
    return await describingFailures(`The file ${at}`, async () => {
      try {
        const outcome = await change()
        if (outcome.kind === 'done') this.#touch(path)
        return outcome
      } catch (thrown) {
        // A directory on the way was taken away or made a file.
        if (isGone(thrown)) return CHANGED
        throw thrown
      }
    })
  }

  #touch(path: PathText): void {
    const parent = parentOf(path)
    this.#touched.add(parent === undefined ? this.#root : this.#paths.of(parent))
  }
}

class SystemStagedFile implements StagedFile {
  readonly at: string
  readonly hash: ContentHash

  constructor(at: string, hash: ContentHash) {
    this.at = at
    this.hash = hash
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.at, { force: true })
  }
}

class SystemOpenedFile implements OpenedFile {
  readonly #file: FileHandle
  readonly #at: string
  readonly #signature: Signature
  readonly mtimeMs: number
  readonly isExecutable: boolean

  constructor(file: FileHandle, at: string, stats: BigIntStats) {
    this.#file = file
    this.#at = at
    this.#signature = signatureOf(stats)
    this.mtimeMs = Number(stats.mtimeMs)
    this.isExecutable = isExecutable(stats)
  }

  get chunks(): AsyncIterable<Uint8Array> {
    return this.#file.createReadStream({ autoClose: false, start: 0, highWaterMark: READ_BYTES })
  }

  async isUnchanged(): Promise<boolean> {
    const stats = await unlessGone(lstat(this.#at, { bigint: true }))
    return stats !== undefined && signatureOf(stats) === this.#signature
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

/** So that the system, which cuts to microseconds, does not take it for the millisecond before. */
function secondsOf(timeMs: number): number {
  return (timeMs + 0.0005) / 1000
}
