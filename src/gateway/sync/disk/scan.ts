import { join, relative } from 'node:path'
import { equalBytes, utf8 } from '../../../foundation/bytes.ts'
import { sleep, type Clock } from '../../../foundation/clock.ts'
import { Turns } from '../../../foundation/turns.ts'
import { systemCodeOf } from '../../../foundation/error.ts'
import { describeSystemFailure, SystemFailureError } from '../../../foundation/system-failure.ts'
import { MAX_TARGET_BYTES } from '../../../folders/entry.ts'
import { InvalidNameError } from '../../../folders/errors.ts'
import { MAX_PATH_NAMES, type Name } from '../../../folders/names.ts'
import { FrameHasher } from '../../../grid/files/hashed-source.ts'
import { BLOCK_CAPACITY_BYTES } from '../../../protocol/limits.ts'
import type { Selection } from '../selection.ts'
import type { ContentHash, PathText } from '../trees.ts'
import { hashOf, type ChunkReader } from './disk-files.ts'
import { diskName, gridName, isMarked } from './disk-names.ts'
import type { DiskPaths } from './disk-paths.ts'
import type { FileStats, FileSystem } from './file-system.ts'
import { OWN_DIRECTORY } from './root-marker.ts'
import { isExecutable, isRacy, signatureOf } from './signature.ts'
import type { DiskProblem, Scan, ScannedNode, ScanOptions } from './sync-disk.ts'

interface ScanContext extends Pick<
  ScanOptions,
  'known' | 'knownBySignature' | 'onRead' | 'signal'
> {
  readonly files: FileSystem
  readonly clock: Clock
  readonly selection: Selection
  /** What is known already, and the directories of the disk in which that may have changed; by default nothing is. */
  readonly before?: { readonly scan: DiskScan; readonly changed: ReadonlySet<string> } | undefined
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

/** A scan, and what is to be known of it to mend names. */
export interface DiskScan extends Scan {
  readonly marked: readonly MarkedName[]
  /** By directories of the disk. */
  readonly listings: ReadonlyMap<string, Listing>
}

/** What one directory held. */
interface Listing {
  /** Of the directory. */
  readonly inode: bigint
  readonly children: Child[]
  readonly problems: DiskProblem[]
  readonly escaped: string[]
  readonly marked: MarkedName[]
  /** Something in it is to be looked at again whether the directory has changed or not. */
  isUnsettled: boolean
}

interface Child {
  readonly path: PathText
  readonly node: ScannedNode
  readonly at: string
  readonly inode: bigint
}

interface Place {
  readonly at: string
  readonly path: PathText | ''
  readonly depth: number
  readonly inode: bigint
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
  readonly listings = new Map<string, Listing>()
  readonly #paths: DiskPaths
  readonly #context: ScanContext
  readonly #turns: Turns
  readonly #waiting: Place[]
  /** Of the directory that is being looked at. */
  #listing: Listing = emptyListing(0n)

  constructor(paths: DiskPaths, context: ScanContext) {
    this.#paths = paths
    this.selection = context.selection
    this.#context = context
    this.#turns = new Turns(context.clock)
    this.#waiting = [{ at: paths.root, path: '', depth: 0, inode: 0n }]
  }

  async run(): Promise<void> {
    const { clock, signal } = this.#context
    // The path's length is bounded, and links are not followed, so there is an end.
    for (let looked = 0; ; looked++) {
      const next = this.#waiting.pop()
      if (next === undefined) return
      // Looking is synchronous, several times as fast as a trip to the thread pool for each file.
      if (looked % DIRECTORIES_AT_A_STRETCH === 0) await sleep(clock, 0, signal)
      this.#listing = this.#knownListing(next) ?? (await this.#look(next))
      this.#take(next)
    }
  }

  /** Undefined where it may be another one by now. */
  #knownListing({ at, inode }: Place): Listing | undefined {
    const { before } = this.#context
    const listing = before?.scan.listings.get(at)
    const isSame = listing?.inode === inode && !listing.isUnsettled
    return isSame && before?.changed.has(at) === false ? listing : undefined
  }

  #take({ at, depth }: Place): void {
    const listing = this.#listing
    this.listings.set(at, listing)
    for (const child of listing.children) {
      const { path, node, at, inode } = child
      this.tree.set(path, node)
      if (node.kind === 'directory') this.#waiting.push({ at, path, depth: depth + 1, inode })
    }
    this.problems.push(...listing.problems)
    this.escaped.push(...listing.escaped)
    this.marked.push(...listing.marked)
  }

  async #look({ at, path, depth, inode }: Place): Promise<Listing> {
    const listing = emptyListing(inode)
    this.#listing = listing
    const seen = new Set<PathText>()
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
      if (seen.has(child)) {
        if (isMarked(raw)) listing.marked.push({ at: here, plain: join(at, name), isDouble: true })
        else this.#problem(here, 'another name here differs from it in form only')
        continue
      }
      seen.add(child)
      this.#paths.saw(child, name, raw)
      if (this.#paths.rules.isFolding && isMarked(raw)) {
        const plain = join(at, diskName(name, this.#paths.rules))
        listing.marked.push({ at: here, plain, isDouble: false })
      }
      if (raw !== name && raw.normalize('NFC') !== name) {
        listing.escaped.push(relative(this.#paths.root, here))
      }
      await this.#add(child, here, depth + 1)
    }
    return listing
  }

  async #add(path: PathText, at: string, depth: number): Promise<void> {
    const { children } = this.#listing
    try {
      const stats = this.#context.files.lstatNow(at)
      const inode = stats.ino
      if (this.selection.leavesOut(path, stats.isDirectory())) {
        children.push({ path, at, inode, node: { kind: 'opaque' } })
      } else if (stats.isDirectory()) {
        if (depth >= MAX_PATH_NAMES) throw new InvalidNameError('it lies too deep for a folder')
        children.push({ path, at, inode, node: { kind: 'directory' } })
      } else if (stats.isFile()) {
        const node = await this.#fileNode(path, at, stats)
        children.push({ path, at, inode, node })
        if (node.kind !== 'file' || node.isRacy) this.#listing.isUnsettled = true
      } else if (stats.isSymbolicLink()) {
        const target = targetOf(this.#context.files, at)
        children.push({ path, at, inode, node: { kind: 'symlink', target } })
      } else {
        throw new InvalidNameError(specialKind(stats))
      }
    } catch (thrown) {
      // Gone between the listing and now: as if it had been removed before.
      if (systemCodeOf(thrown) === 'ENOENT') return
      children.push({ path, at, inode: 0n, node: { kind: 'opaque' } })
      this.#problem(at, reasonOf(thrown))
    }
  }

  async #fileNode(
    path: PathText,
    at: string,
    stats: FileStats,
  ): Promise<Extract<ScannedNode, { kind: 'file' | 'opaque' }>> {
    const signature = signatureOf(stats)
    const known = this.#context.known(path)
    const about = {
      isExecutable: isExecutable(stats),
      sizeBytes: Number(stats.size),
      mtimeMs: Number(stats.mtimeMs),
    }
    const hashBefore =
      known?.signature === signature ? known.hash : this.#context.knownBySignature(signature)
    if (hashBefore !== undefined) {
      return { kind: 'file', hash: hashBefore, signature, isRacy: false, ...about }
    }
    const isTooNew = isRacy(stats, this.#context.clock.nowMs())
    await this.#turns.give(this.#context.signal)
    // Of what was agreed before most blocks are on the grid, and are known there by their hashes.
    const isOfBlocks = known !== undefined && about.sizeBytes > BLOCK_CAPACITY_BYTES
    const frames = isOfBlocks ? new FrameHasher(about.sizeBytes) : undefined
    const work = this.#context.onRead?.(about.sizeBytes)
    const hash = await hashFile(this.#context.files, at, this.#context.signal, (bytes, end) => {
      frames?.update(bytes)
      work?.reached(end)
    })
    work?.end()
    const after = this.#context.files.lstatNow(at)
    // Changing right now: what was read may be half of this and half of that.
    if (signatureOf(after) !== signature) return { kind: 'opaque' }
    const frameHashes = frames?.finish()
    return { kind: 'file', hash, signature, isRacy: isTooNew, ...about, frameHashes }
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
    this.#listing.problems.push({ at: relative(this.#paths.root, at), why })
    this.#listing.isUnsettled = true
  }
}

function emptyListing(inode: bigint): Listing {
  return { inode, children: [], problems: [], escaped: [], marked: [], isUnsettled: false }
}

/** @throws what the file system does */
export async function hashFile(
  files: FileSystem,
  at: string,
  signal?: AbortSignal,
  onChunk?: ChunkReader,
): Promise<ContentHash> {
  const file = await files.open(at)
  try {
    const { size } = await file.stat()
    return await hashOf(file, Number(size), signal, onChunk)
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
