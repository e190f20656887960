import { join, relative } from 'node:path'
import { startSha256 } from '../../../crypto/hash.ts'
import { equalBytes, toHex, utf8 } from '../../../foundation/bytes.ts'
import { sleep, type Clock } from '../../../foundation/clock.ts'
import { systemCodeOf } from '../../../foundation/error.ts'
import { describeSystemFailure, SystemFailureError } from '../../../foundation/system-failure.ts'
import { MAX_TARGET_BYTES } from '../../../folders/entry.ts'
import { InvalidNameError } from '../../../folders/errors.ts'
import { MAX_PATH_NAMES, type Name } from '../../../folders/names.ts'
import type { Selection } from '../selection.ts'
import type { ContentHash, PathText } from '../trees.ts'
import { diskName, gridName, isMarked } from './disk-names.ts'
import type { DiskPaths } from './disk-paths.ts'
import type { FileStats, FileSystem } from './file-system.ts'
import { OWN_DIRECTORY } from './root-marker.ts'
import { isExecutable, isRacy, signatureOf } from './signature.ts'
import type { DiskProblem, KnownFile, Scan, ScannedNode } from './sync-disk.ts'

interface ScanContext {
  readonly files: FileSystem
  readonly known: (path: PathText) => KnownFile | undefined
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly selection: Selection
}

/**
 * Looks at all that lies below the root, and reads those files that are not as they were. Symbolic links are not followed.
 * What cannot be read or held by a folder is opaque: it is left as it is, and never taken for something that was removed.
 * @throws SystemFailureError: the root cannot be read
 */
export async function scanDirectory(paths: DiskPaths, context: ScanContext): Promise<DiskScan> {
  const scanner = new Scanner(paths, context)
  await scanner.run()
  return scanner
}

/** Between them what else goes on gets its turn. */
const DIRECTORIES_AT_A_STRETCH = 64
const READ_BYTES = 256 * 1024

/** A scan, and what is to be known of it to mend names. */
export interface DiskScan extends Scan {
  readonly marked: readonly MarkedName[]
}

/** A name that bears a mark, since another was too like it when it was written. */
export interface MarkedName {
  readonly at: string
  /** Where it would be without. */
  readonly plain: string
  /** That name is another file's by now. */
  readonly isDouble: boolean
}

class Scanner implements DiskScan {
  readonly tree = new Map<PathText, ScannedNode>()
  readonly selection: Selection
  readonly problems: DiskProblem[] = []
  readonly escaped: string[] = []
  readonly marked: MarkedName[] = []
  readonly #paths: DiskPaths
  readonly #context: ScanContext
  readonly #waiting: { readonly at: string; readonly path: PathText | ''; depth: number }[]

  constructor(paths: DiskPaths, context: ScanContext) {
    this.#paths = paths
    this.selection = context.selection
    this.#context = context
    this.#waiting = [{ at: paths.root, path: '', depth: 0 }]
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#context
    // The path's length is bounded, and links are not followed, so there is an end.
    for (let looked = 0; ; looked++) {
      const next = this.#waiting.pop()
      if (next === undefined) return
      // Looking is synchronous, several times as fast as a trip to the thread pool for each file.
      if (looked % DIRECTORIES_AT_A_STRETCH === 0) await sleep(clock, 0, signal)
      await this.#look(next)
    }
  }

  async #look({
    at,
    path,
    depth,
  }: {
    at: string
    path: PathText | ''
    depth: number
  }): Promise<void> {
    this.#paths.forget(path)
    for (const raw of this.#namesIn(at, path)) {
      if (path === '' && raw === OWN_DIRECTORY) continue
      const here = join(at, raw)
      let name: Name
      try {
        name = gridName(raw, this.#paths.rules)
      } catch (thrown) {
        this.#problem(here, reasonOf(thrown))
        continue
      }
      const child = (path === '' ? name : `${path}/${name}`) as PathText
      if (this.tree.has(child)) {
        if (isMarked(raw)) this.marked.push({ at: here, plain: join(at, name), isDouble: true })
        else this.#problem(here, 'another name here differs from it in form only')
        continue
      }
      this.#paths.saw(child, name, raw)
      if (this.#paths.rules.isFolding && isMarked(raw)) {
        this.marked.push({
          at: here,
          plain: join(at, diskName(name, this.#paths.rules)),
          isDouble: false,
        })
      }
      if (raw !== name && raw.normalize('NFC') !== name)
        this.escaped.push(relative(this.#paths.root, here))
      await this.#add(child, here, depth + 1)
    }
  }

  async #add(path: PathText, at: string, depth: number): Promise<void> {
    try {
      const stats = this.#context.files.lstatNow(at)
      if (this.selection.leavesOut(path, stats.isDirectory())) {
        this.tree.set(path, { kind: 'opaque' })
      } else if (stats.isDirectory()) {
        if (depth >= MAX_PATH_NAMES) throw new InvalidNameError('it lies too deep for a folder')
        this.tree.set(path, { kind: 'directory' })
        this.#waiting.push({ at, path, depth })
      } else if (stats.isFile()) {
        const node = await this.#fileNode(path, at, stats)
        if (node !== undefined) this.tree.set(path, node)
      } else if (stats.isSymbolicLink()) {
        this.tree.set(path, { kind: 'symlink', target: targetOf(this.#context.files, at) })
      } else {
        throw new InvalidNameError(specialKind(stats))
      }
    } catch (thrown) {
      // Gone between the listing and now: as if it had been removed before.
      if (systemCodeOf(thrown) === 'ENOENT') return
      this.tree.set(path, { kind: 'opaque' })
      this.#problem(at, reasonOf(thrown))
    }
  }

  async #fileNode(path: PathText, at: string, stats: FileStats): Promise<ScannedNode | undefined> {
    const signature = signatureOf(stats)
    const known = this.#context.known(path)
    const about = { isExecutable: isExecutable(stats), sizeBytes: Number(stats.size) }
    if (known?.signature === signature) {
      return { kind: 'file', hash: known.hash, signature, isRacy: false, ...about }
    }
    const isTooNew = isRacy(stats, this.#context.clock.nowMs())
    const hash = await hashFile(this.#context.files, at, this.#context.signal)
    const after = this.#context.files.lstatNow(at)
    // Changing right now: what was read may be half of this and half of that.
    if (signatureOf(after) !== signature) return { kind: 'opaque' }
    return { kind: 'file', hash, signature, isRacy: isTooNew, ...about }
  }

  /** Names that are Unicode. The others are told as far as they can be written. */
  #namesIn(at: string, path: PathText | ''): string[] {
    let raw: Uint8Array[]
    try {
      raw = this.#context.files.listNow(at)
    } catch (thrown) {
      const failure = describeSystemFailure(thrown, `The directory ${at}`)
      if (failure === undefined) throw thrown
      if (path === '') throw new SystemFailureError(failure, { cause: thrown })
      if (systemCodeOf(thrown) === 'ENOENT') this.tree.delete(path)
      else {
        this.tree.set(path, { kind: 'opaque' })
        this.#problem(at, reasonOf(thrown))
      }
      return []
    }
    const names = raw.flatMap((bytes) => {
      const name = Buffer.from(bytes).toString('utf8')
      if (equalBytes(utf8(name), bytes)) return [name]
      this.#problem(join(at, name), 'its name is not UTF-8')
      return []
    })
    if (!this.#paths.rules.isFolding) return names
    // Of two that are the same to a folder, the one without a mark has the name.
    return [...names.filter((name) => !isMarked(name)), ...names.filter(isMarked)]
  }

  #problem(at: string, why: string): void {
    this.problems.push({ at: relative(this.#paths.root, at), why })
  }
}

/** @throws what the file system does */
export async function hashFile(
  files: FileSystem,
  at: string,
  signal?: AbortSignal,
): Promise<ContentHash> {
  const hash = startSha256()
  const file = await files.open(at)
  try {
    const buffer = new Uint8Array(READ_BYTES)
    for (;;) {
      signal?.throwIfAborted()
      const length = await file.read(buffer)
      if (length === 0) return toHex(hash.digest()) as ContentHash
      hash.update(buffer.subarray(0, length))
    }
  } finally {
    await file.close()
  }
}

function targetOf(files: FileSystem, at: string): string {
  const target = files.readlinkNow(at)
  if (utf8(target).length <= MAX_TARGET_BYTES) return target
  throw new InvalidNameError(`what the link points to has over ${MAX_TARGET_BYTES} bytes`)
}

function specialKind(stats: FileStats): string {
  if (stats.isFIFO()) return 'it is a pipe (FIFO)'
  if (stats.isSocket()) return 'it is a socket'
  return 'it is a device'
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof InvalidNameError) return thrown.message.replace(/\.$/, '')
  const failure = describeSystemFailure(thrown, 'it')
  if (failure === undefined) throw thrown
  return failure.message.replace(/\.$/, '')
}
