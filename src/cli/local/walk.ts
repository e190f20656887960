import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import { join } from 'node:path'
import { utf8 } from '../../foundation/bytes.ts'
import { sleep } from '../../foundation/clock.ts'
import { systemClock } from '../../foundation/system.ts'
import { describeSystemFailure } from '../../foundation/system-failure.ts'
import { MAX_TARGET_BYTES } from '../../folders/entry.ts'
import { InvalidNameError } from '../../folders/errors.ts'
import {
  checkName,
  compareNames,
  MAX_PATH_NAMES,
  type Name,
  type Path,
} from '../../folders/names.ts'

/** What lies below a local directory, as far as a folder can hold it; and what it cannot, with the reason. */
export interface LocalTree {
  /** Each before what is in it; the first is the directory itself, with an empty path. */
  readonly directories: readonly LocalDirectory[]
  readonly skipped: readonly Skipped[]
}

export interface LocalDirectory {
  /** From the directory that was walked, in normal form C. */
  readonly path: Path
  readonly files: readonly LocalFile[]
}

export type LocalFile =
  | { readonly kind: 'file'; readonly name: Name; readonly at: string; readonly stats: BigIntStats }
  | {
      readonly kind: 'symlink'
      readonly name: Name
      readonly at: string
      readonly stats: BigIntStats
      readonly target: string
    }

/** Something on the disk that is left out. */
export interface Skipped {
  readonly at: string
  /** Completes "… was left out:". */
  readonly why: string
  /** Whether it should have been read and could not, rather than being nothing that a folder holds. */
  readonly isFailure: boolean
}

/** Looks at everything below a directory and reads no file. Symbolic links are not followed. */
export async function walkLocal(root: string, signal: AbortSignal): Promise<LocalTree> {
  const directories: LocalDirectory[] = []
  const skipped: Skipped[] = []
  const waiting: { at: string; path: Path }[] = [{ at: root, path: [] }]
  // The path's length is bounded, and links are not followed, so there is an end.
  for (;;) {
    const next = waiting.pop()
    if (next === undefined) return { directories, skipped }
    // Looking is synchronous, several times as fast as a trip to the thread pool for each file.
    if (directories.length % DIRECTORIES_AT_A_STRETCH === 0) await sleep(systemClock, 0, signal)
    const found = readLocal(next.at)
    skipped.push(...found.skipped)
    directories.push({ path: next.path, files: found.files })
    for (const { name, at } of found.directories.reverse()) {
      if (next.path.length + 1 < MAX_PATH_NAMES) waiting.push({ at, path: [...next.path, name] })
      else skipped.push({ at, why: 'a folder has no room for so deep a path', isFailure: true })
    }
  }
}

/** Between them what else goes on gets its turn, Ctrl-C for one. */
const DIRECTORIES_AT_A_STRETCH = 64

interface Found {
  readonly files: LocalFile[]
  readonly directories: { readonly name: Name; readonly at: string }[]
  readonly skipped: Skipped[]
}

function readLocal(directory: string): Found {
  const found: Found = { files: [], directories: [], skipped: [] }
  const taken = new Set<Name>()
  for (const raw of namesIn(directory, found.skipped)) {
    const at = join(directory, raw)
    try {
      const name = checkName(raw.normalize('NFC'))
      if (taken.has(name))
        throw new InvalidNameError('another name here differs from it in form only')
      taken.add(name)
      addEntry(found, name, at)
    } catch (thrown) {
      found.skipped.push({ at, why: reasonOf(thrown), isFailure: true })
    }
  }
  found.files.sort((a, b) => compareNames(a.name, b.name))
  found.directories.sort((a, b) => compareNames(a.name, b.name))
  return found
}

/** Names that are Unicode. The others are told as far as they can be written. */
function namesIn(directory: string, skipped: Skipped[]): string[] {
  let raw: Buffer[]
  try {
    raw = readdirSync(directory, { encoding: 'buffer' })
  } catch (thrown) {
    skipped.push({ at: directory, why: reasonOf(thrown), isFailure: true })
    return []
  }
  return raw.flatMap((bytes) => {
    const name = bytes.toString('utf8')
    if (Buffer.compare(Buffer.from(name, 'utf8'), bytes) === 0) return [name]
    skipped.push({ at: join(directory, name), why: 'its name is not UTF-8', isFailure: true })
    return []
  })
}

function addEntry(found: Found, name: Name, at: string): void {
  const stats = lstatSync(at, { bigint: true })
  if (stats.isDirectory()) {
    found.directories.push({ name, at })
  } else if (stats.isFile()) {
    found.files.push({ kind: 'file', name, at, stats })
  } else if (stats.isSymbolicLink()) {
    const target = readlinkSync(at)
    if (utf8(target).length > MAX_TARGET_BYTES) {
      throw new InvalidNameError(`what the link points to has over ${MAX_TARGET_BYTES} bytes`)
    }
    found.files.push({ kind: 'symlink', name, at, stats, target })
  } else {
    found.skipped.push({ at, why: specialKind(stats), isFailure: false })
  }
}

function specialKind(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'it is a pipe (FIFO)'
  if (stats.isSocket()) return 'it is a socket'
  return 'it is a device'
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof InvalidNameError) return thrown.message
  const failure = describeSystemFailure(thrown, 'it')
  if (failure === undefined) throw thrown
  return failure.message.replace(/\.$/, '')
}
