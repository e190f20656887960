import { basename, dirname, join } from 'node:path'
import { toHex } from '../../../foundation/bytes.ts'
import type { Clock } from '../../../foundation/clock.ts'
import { finishConcurrently } from '../../../foundation/concurrency.ts'
import { systemCodeOf } from '../../../foundation/error.ts'
import type { Randomness } from '../../../foundation/randomness.ts'
import { describingFailures } from '../../../foundation/system-failure.ts'
import { parentOf, type PathText } from '../trees.ts'
import { isAsExpected, isGone, linkFree, moveDirectoryNow, unlessGone } from './careful.ts'
import { DiskPaths } from './disk-paths.ts'
import type { FileSystem } from './file-system.ts'
import { clearTemporaries, keepAside } from './keepsakes.ts'
import { PlaceGoneError, Replacer, type Replacing } from './replacer.ts'
import { DiskFile } from './disk-files.ts'
import { nameRules, openMarked, OWN_DIRECTORY } from './root-marker.ts'
import { Scans } from './scans.ts'
import { isNewlyWritten, signatureOf } from './signature.ts'
import { Stager, type StagerOptions, type SystemStagedFile } from './stager.ts'
import type {
  ContentName,
  DiskOutcome,
  Guard,
  IncomingFile,
  OpenedFile,
  Scan,
  ScanOptions,
  StagedFile,
  SyncDisk,
} from './sync-disk.ts'
import { SYSTEM_FILE_SYSTEM } from './system-file-system.ts'

/** Disks take as long for one as for several at once. */
const FLUSHED_AT_ONCE = 32

const CHANGED: DiskOutcome = { kind: 'changed' }

interface SystemOptions {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly platform?: NodeJS.Platform | undefined
  /** The system's own unless another is given. */
  readonly files?: FileSystem | undefined
  readonly unfinished?: StagerOptions['unfinished']
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
  readonly #files: FileSystem
  readonly #scans: Scans
  readonly #replacer: Replacer
  readonly #stager: Stager
  /** Directories with changes that are not durable yet. */
  readonly #touched = new Set<string>()
  /** What was taken from its place for good, and is still among the temporaries. */
  #leaving: string[] = []
  #isPrepared = false

  /** @param id tells which agreement the directory belongs to; asks for nothing yet */
  constructor(root: string, id: string, options: SystemOptions) {
    this.#root = root
    this.#id = id
    this.#options = options
    this.#files = options.files ?? SYSTEM_FILE_SYSTEM
    this.#paths = new DiskPaths(root)
    const { clock } = options
    this.#scans = new Scans({ root, paths: this.#paths, files: this.#files, clock })
    this.#replacer = new Replacer({
      files: this.#files,
      temporaries: this.#temporaries,
      randomness: options.randomness,
      onReplaced: (at) => this.#leaving.push(at),
    })
    this.#stager = new Stager({
      ...options,
      files: this.#files,
      temporaries: this.#temporaries,
      onLeft: () => {
        this.#isPrepared = false
      },
    })
  }

  /** @throws RootMissingError, RootTakenError, SystemFailureError */
  async scan(options: ScanOptions): Promise<Scan> {
    await this.#checkRoot()
    await describingFailures(`The directory ${this.#root}`, async () => {
      // Of a pass that ended early.
      await this.#removeLeaving()
      if (!this.#isPrepared) await this.#prepare(options)
    })
    const scan = await this.#scans.scan(options)
    // What went away on the way must not look like a directory whose files were removed.
    await this.#checkRoot()
    return scan
  }

  noteChange(directory?: string): void {
    this.#scans.noteChange(directory)
  }

  async open(path: PathText): Promise<OpenedFile | undefined> {
    const at = this.#paths.of(path)
    return await describingFailures(
      `The file ${at}`,
      async () => await DiskFile.open(this.#files, at),
    )
  }

  async stage(content: IncomingFile): Promise<StagedFile> {
    return await describingFailures(
      'What is fetched',
      async () => await this.#stager.stage(content),
    )
  }

  async dropUnfinished(wanted: ReadonlySet<ContentName>): Promise<void> {
    await describingFailures(
      'What was fetched',
      async () => await this.#stager.dropUnfinished(wanted),
    )
  }

  async place(staged: StagedFile, path: PathText, guard: Guard): Promise<DiskOutcome> {
    const file = staged as SystemStagedFile
    const outcome = await this.#arrive(file.at, path, guard)
    file.isPlaced = outcome.kind === 'done'
    return outcome
  }

  async placeSymlink(target: string, path: PathText, guard: Guard): Promise<DiskOutcome> {
    const from = this.#temporary()
    return await this.#changing(path, async () => {
      await this.#files.symlink(target, from)
      try {
        return await this.#arrive(from, path, guard)
      } finally {
        await this.#files.unlink(from)
      }
    })
  }

  async move(from: PathText, to: PathText, guard: Guard): Promise<DiskOutcome> {
    const source = this.#paths.of(from)
    const target = this.#paths.of(to)
    return await this.#changing(to, async () => {
      this.#scans.noteChange(dirname(source))
      const taken = await this.#replacer.take(source, { guard })
      if (taken === undefined) return CHANGED
      this.#touch(from)
      this.#paths.took(from)
      // Undefined where the directory that it was to move to is gone.
      if ((await unlessGone(linkFree(this.#files, taken, target))) !== true) {
        await this.#replacer.giveBack(taken, source, guard)
        return CHANGED
      }
      await this.#files.unlink(taken)
      return this.#done(to, guard)
    })
  }

  async remove(path: PathText, guard: Guard): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      const taken = await this.#replacer.take(this.#paths.of(path), this.#replacing(guard))
      if (taken === undefined) return CHANGED
      this.#leaving.push(taken)
      this.#paths.took(path)
      return { kind: 'done' }
    })
  }

  async setAside(path: PathText, guard: Guard): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      const at = this.#paths.of(path)
      const taken = await this.#replacer.take(at, { guard })
      if (taken === undefined) return CHANGED
      this.#paths.took(path)
      await keepAside(
        this.#files,
        taken,
        join(this.#root, OWN_DIRECTORY, 'set-aside', basename(at)),
      )
      return { kind: 'done' }
    })
  }

  async makeDirectory(path: PathText): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      try {
        await this.#files.mkdir(this.#paths.of(path))
        this.#paths.put(path)
      } catch (thrown) {
        if (systemCodeOf(thrown) === 'EEXIST') return CHANGED
        throw thrown
      }
      return { kind: 'done' }
    })
  }

  async moveDirectory(from: PathText, to: PathText): Promise<DiskOutcome> {
    const [source, target] = [this.#paths.of(from), this.#paths.of(to)]
    return await this.#changing(to, async () => {
      this.#scans.noteChange(dirname(source))
      if (!moveDirectoryNow(this.#files, source, target)) return CHANGED
      this.#touch(from)
      this.#paths.tookAll(from)
      this.#paths.put(to)
      return { kind: 'done' }
    })
  }

  async removeDirectory(path: PathText): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      try {
        await this.#files.rmdir(this.#paths.of(path))
      } catch (thrown) {
        if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCodeOf(thrown) ?? '')) return CHANGED
        throw thrown
      }
      this.#touched.delete(this.#paths.of(path))
      this.#paths.took(path)
      return { kind: 'done' }
    })
  }

  async flush(): Promise<void> {
    if (this.#touched.size === 0) return
    await this.#checkRoot()
    await describingFailures('What was replaced or removed', async () => this.#removeLeaving())
    const directories = [...this.#touched, this.#temporaries]
    this.#touched.clear()
    await finishConcurrently(directories, FLUSHED_AT_ONCE, async (at) => {
      await unlessGone(this.#files.syncDirectory(at))
    })
  }

  /** To free the bytes of a file takes long, and many at once take hardly longer. */
  async #removeLeaving(): Promise<void> {
    const leaving = this.#leaving
    if (leaving.length === 0) return
    this.#leaving = []
    try {
      await finishConcurrently(leaving, FLUSHED_AT_ONCE, async (at) => this.#files.unlink(at))
    } catch (thrown) {
      this.#isPrepared = false
      throw thrown
    }
  }

  async #checkRoot(): Promise<void> {
    try {
      await describingFailures(`The directory ${this.#root}`, async () => {
        await openMarked(this.#files, this.#root, this.#id)
      })
    } catch (thrown) {
      this.#isPrepared = false
      throw thrown
    }
  }

  /** Clears away what a crash left behind. */
  async #prepare({ isKnown }: ScanOptions): Promise<void> {
    const at = { root: this.#root, temporaries: this.#temporaries }
    this.#paths.rules = nameRules(
      this.#files,
      this.#root,
      this.#options.platform ?? process.platform,
    )
    try {
      await this.#files.mkdir(at.temporaries)
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
      await this.#stager.adopt()
      await clearTemporaries(this.#files, at, isKnown, (name) => this.#stager.isUnfinished(name))
    }
    this.#isPrepared = true
  }

  get #temporaries(): string {
    return join(this.#root, OWN_DIRECTORY, 'tmp')
  }

  #temporary(): string {
    return join(this.#temporaries, toHex(this.#options.randomness.bytes(12)))
  }

  /** Lets `from` take the place of what is expected there. */
  async #arrive(from: string, path: PathText, guard: Guard): Promise<DiskOutcome> {
    return await this.#changing(path, async () => {
      const arriving: Guard = { expects: { signature: signatureOf(this.#files.lstatNow(from)) } }
      const at = this.#paths.of(path)
      const isThere = await this.#replacer.arrive(from, at, this.#replacing(guard))
      return isThere ? this.#done(path, arriving) : CHANGED
    })
  }

  #replacing(guard: Guard): Replacing {
    const { keptAt } = guard
    const copy = keptAt && { at: this.#paths.of(keptAt.path), signature: keptAt.signature }
    return { guard, copy }
  }

  /** With a signature if the file is what was put there: by now its user may have changed it. */
  #done(path: PathText, put: Guard): DiskOutcome {
    const at = this.#paths.of(path)
    this.#paths.put(path)
    if (!isAsExpected(this.#files, at, put)) return { kind: 'done' }
    const stats = this.#files.lstatNow(at)
    const isRacy = isNewlyWritten(stats, this.#options.clock.nowMs())
    return { kind: 'done', signature: signatureOf(stats), isRacy }
  }

  async #changing(path: PathText, change: () => Promise<DiskOutcome>): Promise<DiskOutcome> {
    const at = this.#paths.of(path)
    this.#scans.noteChange(dirname(at))
    return await describingFailures(`The file ${at}`, async () => {
      try {
        const outcome = await change()
        if (outcome.kind === 'done') this.#touch(path)
        return outcome
      } catch (thrown) {
        // Something of the user's may be left among the temporaries.
        this.#isPrepared = false
        if (thrown instanceof PlaceGoneError) return { kind: 'unclear' }
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
