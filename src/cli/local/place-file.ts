import type { Stats } from 'node:fs'
import {
  chmod,
  lstat,
  open,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  type FileHandle,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { allocateBytes, equalBytes, toHex } from '../../foundation/bytes.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import { fileTimeSeconds } from '../../foundation/file-times.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/** A file that is to be at a place on the disk. */
export interface IncomingFile {
  readonly sizeBytes: number
  readonly mtimeMs?: number | undefined
  readonly isExecutable?: boolean | undefined
  /** Called at most once, and not at all if the file need not be read. */
  readonly chunks: () => Promise<AsyncIterable<Uint8Array>>
}

/** `same`: it was there already, with that content. */
export type Placed = 'written' | 'same'

/**
 * Writes a file beside its place and renames it there, so that it appears whole or not at all. A file of another content
 * is only replaced with `overwrite`; one of the same size and time is taken for the same, as rsync does. Links are never
 * followed.
 * @throws CliError, SystemFailureError
 */
export async function placeFile(
  at: string,
  incoming: IncomingFile,
  { overwrite }: { readonly overwrite: boolean },
): Promise<Placed> {
  return await describingFailures(`The file ${at}`, async () => {
    const existing = await lstatIfThere(at)
    if (existing !== undefined) {
      if (hasSizeAndTime(existing, incoming)) return await fitMode(at, existing, incoming)
      refuseInTheWay(at, existing, { overwrite, sizeBytes: incoming.sizeBytes })
    }
    const temporary = temporaryIn(dirname(at))
    if (existing === undefined) await refuseWithoutDirectory(at)
    try {
      await writeFile(temporary, incoming)
      if (existing?.isFile() === true && existing.size === incoming.sizeBytes) {
        if (await areSame(temporary, at)) return await fitTime(at, existing, incoming)
        if (!overwrite) throw otherContent(at)
      }
      await rename(temporary, at)
      return 'written'
    } finally {
      await rm(temporary, { force: true })
    }
  })
}

/** Puts a symbolic link at a place under the same rules. It is never followed. */
export async function placeLink(
  at: string,
  target: string,
  { overwrite }: { readonly overwrite: boolean },
): Promise<Placed> {
  return await describingFailures(`The link ${at}`, async () => {
    const existing = await lstatIfThere(at)
    if (existing?.isSymbolicLink() === true && (await readlink(at)) === target) return 'same'
    if (existing !== undefined) refuseInTheWay(at, existing, { overwrite, sizeBytes: undefined })
    const temporary = temporaryIn(dirname(at))
    try {
      await symlink(target, temporary)
      await rename(temporary, at)
      return 'written'
    } finally {
      await rm(temporary, { force: true })
    }
  })
}

/** Not made of the file's name, which may be as long as names can be. */
function temporaryIn(directory: string): string {
  return join(directory, `.hayloft-${toHex(systemRandomness.bytes(8))}.part`)
}

async function writeFile(path: string, incoming: IncomingFile): Promise<void> {
  // The user's umask takes away what they do not want.
  const file = await open(path, 'wx', incoming.isExecutable === true ? 0o777 : 0o666)
  try {
    for await (const chunk of await incoming.chunks()) await file.writeFile(chunk)
    if (incoming.mtimeMs !== undefined) await setTime(file, incoming.mtimeMs)
  } finally {
    await file.close()
  }
}

async function setTime(file: FileHandle, mtimeMs: number): Promise<void> {
  await file.utimes(systemClock.nowMs() / 1000, fileTimeSeconds(mtimeMs))
}

async function lstatIfThere(at: string): Promise<Stats | undefined> {
  try {
    return await lstat(at)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

function hasSizeAndTime(existing: Stats, { sizeBytes, mtimeMs }: IncomingFile): boolean {
  return (
    existing.isFile() &&
    existing.size === sizeBytes &&
    mtimeMs !== undefined &&
    // Finer parts than a folder keeps do not count.
    Math.floor(existing.mtimeMs) === mtimeMs
  )
}

/** @throws CliError where there is something that must stay */
function refuseInTheWay(
  at: string,
  existing: Stats,
  { overwrite, sizeBytes }: { overwrite: boolean; sizeBytes: number | undefined },
): void {
  if (existing.isDirectory()) {
    throw new CliError({
      exit: EXIT.cannotCreate,
      code: 'in-the-way',
      message: `${at} is a directory here, and none on the grid. Move one of them.`,
    })
  }
  const mayBeSame = existing.isFile() && existing.size === sizeBytes
  if (!overwrite && !mayBeSame) throw otherContent(at)
}

async function refuseWithoutDirectory(at: string): Promise<void> {
  if ((await lstatIfThere(dirname(at))) !== undefined) return
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'cannot-create',
    message: `The directory that ${at} would be in does not exist. Make it first.`,
  })
}

function otherContent(at: string): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'exists',
    message: `${at} is there already, with other content. Add --overwrite to replace it.`,
  })
}

async function fitTime(at: string, existing: Stats, incoming: IncomingFile): Promise<Placed> {
  if (incoming.mtimeMs !== undefined) {
    await utimes(at, systemClock.nowMs() / 1000, fileTimeSeconds(incoming.mtimeMs))
  }
  return await fitMode(at, existing, incoming)
}

/** Lets those run it who may read it, or nobody. */
async function fitMode(
  at: string,
  { mode }: Stats,
  { isExecutable }: IncomingFile,
): Promise<Placed> {
  const runs = (mode & 0o100) !== 0
  if (isExecutable === undefined || isExecutable === runs) return 'same'
  const changed = isExecutable ? mode | ((mode & 0o444) >> 2) : mode & ~0o111
  await chmod(at, changed & 0o7777)
  return 'same'
}

async function areSame(one: string, other: string): Promise<boolean> {
  await using files = await openBoth(one, other)
  const [a, b] = [allocateBytes(COMPARED_BYTES), allocateBytes(COMPARED_BYTES)]
  for (let position = 0; ; position += COMPARED_BYTES) {
    const [readA, readB] = await Promise.all([
      files.one.read(a, 0, COMPARED_BYTES, position),
      files.other.read(b, 0, COMPARED_BYTES, position),
    ])
    if (!equalBytes(a.subarray(0, readA.bytesRead), b.subarray(0, readB.bytesRead))) return false
    if (readA.bytesRead < COMPARED_BYTES) return true
  }
}

const COMPARED_BYTES = 256 * 1024

async function openBoth(
  one: string,
  other: string,
): Promise<AsyncDisposable & { one: FileHandle; other: FileHandle }> {
  const first = await open(one, 'r')
  try {
    const second = await open(other, 'r')
    return {
      one: first,
      other: second,
      async [Symbol.asyncDispose]() {
        await first.close()
        await second.close()
      },
    }
  } catch (thrown) {
    await first.close()
    throw thrown
  }
}
