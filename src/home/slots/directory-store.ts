import { closeSync, constants, fdatasync, openSync, write } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sha256 } from '../../crypto/hash.ts'
import { allocateBytes, equalBytes, viewOf } from '../../foundation/bytes.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { dropOldest } from '../../foundation/newest.ts'
import type { SmallStore } from '../../grid/slots/stored-memory.ts'
import { PRIVATE_FILE, readIfThere, syncDirectory, writePrivateFile } from '../files.ts'

/**
 * Small values as files of one directory, each replaced whole. A value has two files that are written in turn, in place:
 * while one is being written, the other has what was there before. That takes one sync of a file that is there and keeps its
 * length, where a new file and a rename take two syncs and the journal of the file system, many times as long.
 *
 *     file = first 16 bytes of SHA-256 of what follows ‖ u64 turn ‖ u32 length ‖ value ‖ zeros
 *
 * Of the files that are whole, the one of the later turn counts. What is empty is a file without a byte, made and removed.
 * Other processes may read meanwhile. Of one value, only one process writes.
 */
export class DirectoryStore implements SmallStore {
  readonly #directory: string
  /** What was written or read last, the one used longest ago first: it tells what to write next. */
  readonly #known = new Map<string, Turn>()
  #nextSync: Promise<void> | undefined
  #lastSync: Promise<void> | undefined
  readonly #writing = new Map<string, Promise<void>>()

  constructor(directory: string) {
    this.#directory = directory
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return (await this.#look(name)).value
  }

  async write(name: string, value: Uint8Array): Promise<void> {
    const before = this.#writing.get(name)
    const writing = this.#writeAfter(before, name, value)
    this.#writing.set(name, writing)
    try {
      await writing
    } finally {
      if (this.#writing.get(name) === writing) this.#writing.delete(name)
    }
  }

  async remove(name: string): Promise<void> {
    this.#known.delete(name)
    for (const path of this.#pathsOf(name)) {
      await describingFailures(`The file ${path}`, async () => {
        await rm(path, { force: true })
      })
    }
  }

  async names(): Promise<readonly string[]> {
    const files = await describingFailures(`The directory ${this.#directory}`, async () =>
      // What a crash left of a write begins with a dot and is no value.
      (await readdir(this.#directory)).filter((name) => !name.startsWith('.')),
    )
    return [...new Set(files.map((file) => file.replace(/\.2$/, '')))]
  }

  async #writeAfter(
    before: Promise<void> | undefined,
    name: string,
    value: Uint8Array,
  ): Promise<void> {
    await before?.catch(() => undefined)
    if (value.length === 0) {
      await writePrivateFile(this.#pathsOf(name)[0], value)
      return
    }
    const known = this.#known.get(name)
    const last = known ?? (await this.#look(name)).turn
    // Until it is done, it is not known what is there.
    this.#known.delete(name)
    const number = last.number + 1
    const at = fileOf(number)
    const path = this.#pathsOf(name)[at]
    await writeFile(path, encodeTurn(number, value), { isThere: last.isThere[at] })
    // Of a file that is merely found, its maker may have died before its name was durable.
    if (known === undefined || !last.isThere[at]) await this.#syncDirectory()
    const isThere: Turn['isThere'] = at === 0 ? [true, last.isThere[1]] : [last.isThere[0], true]
    this.#remember(name, { number, isThere })
  }

  async #look(name: string): Promise<{ value: Uint8Array | undefined; turn: Turn }> {
    for (let attempt = 1; ; attempt++) {
      const [first, second] = this.#pathsOf(name)
      const files = [await readIfThere(first), await readIfThere(second)] as const
      const there = files.filter((file) => file !== undefined)
      const [newest] = there
        .flatMap((file) => decodeTurn(file) ?? [])
        .sort((a, b) => b.number - a.number)
      // Two turns may pass while both files are read.
      if (newest === undefined && there.length > 1 && attempt < ATTEMPTS) continue
      const isEmpty = there.length === 1 && files[0]?.length === 0
      const isThere = [files[0] !== undefined, files[1] !== undefined] as const
      return {
        value: newest?.value ?? (isEmpty ? new Uint8Array(0) : undefined),
        turn: { number: newest?.number ?? 0, isThere },
      }
    }
  }

  /** Those who come while it is being synced share the next time. */
  async #syncDirectory(): Promise<void> {
    this.#nextSync ??= this.#syncAfter(this.#lastSync)
    await this.#nextSync
  }

  async #syncAfter(last: Promise<void> | undefined): Promise<void> {
    await last?.catch(() => undefined)
    this.#lastSync = this.#nextSync
    this.#nextSync = undefined
    await describingFailures(`The directory ${this.#directory}`, async () => {
      await syncDirectory(this.#directory)
    })
  }

  #remember(name: string, turn: Turn): void {
    this.#known.delete(name)
    this.#known.set(name, turn)
    dropOldest(this.#known, TURNS_KNOWN)
  }

  #pathsOf(name: string): [string, string] {
    const path = join(this.#directory, name)
    return [path, `${path}.2`]
  }
}

/** The last write of a value, and which of its files there are. */
interface Turn {
  readonly number: number
  readonly isThere: readonly [boolean, boolean]
}

function fileOf(turn: number): 0 | 1 {
  return turn % 2 === 1 ? 0 : 1
}

/**
 * A crash leaves a part of it, which {@link decodeTurn} takes for nothing. Opening and closing wait for no disk, and to hand
 * them to another thread takes many times as long as they do; this is done for each write of a slot.
 */
async function writeFile(
  path: string,
  bytes: Uint8Array,
  { isThere }: { isThere: boolean },
): Promise<void> {
  await describingFailures(`The file ${path}`, async () => {
    const flags = constants.O_WRONLY | (isThere ? 0 : constants.O_CREAT | constants.O_TRUNC)
    const file = openSync(path, flags | SYNCED_WRITE, PRIVATE_FILE)
    try {
      for (let at = 0; at < bytes.length;) {
        at += (await writeSome(file, bytes, at, bytes.length - at, at)).bytesWritten
      }
      if (SYNCED_WRITE === 0) await syncData(file)
    } finally {
      closeSync(file)
    }
  })
}

/** Where a write that is synced of itself is as good as a sync after it; elsewhere a disk's own cache may keep it. */
const SYNCED_WRITE = process.platform === 'linux' ? constants.O_DSYNC : 0
const writeSome = promisify(write)
const syncData = promisify(fdatasync)

function encodeTurn(number: number, value: Uint8Array): Uint8Array {
  const usedBytes = HEADER_BYTES + value.length
  const bytes = allocateBytes(Math.ceil(usedBytes / UNIT_BYTES) * UNIT_BYTES)
  const view = viewOf(bytes)
  view.setBigUint64(CHECKSUM_BYTES, BigInt(number))
  view.setUint32(CHECKSUM_BYTES + 8, value.length)
  bytes.set(value, HEADER_BYTES)
  bytes.fill(0, usedBytes)
  bytes.set(checksumOf(bytes.subarray(0, usedBytes)))
  return bytes
}

/** Undefined for a file that is not whole: a write was interrupted, or is going on. */
function decodeTurn(bytes: Uint8Array): { number: number; value: Uint8Array } | undefined {
  if (bytes.length < HEADER_BYTES) return undefined
  const view = viewOf(bytes)
  const end = HEADER_BYTES + view.getUint32(CHECKSUM_BYTES + 8)
  if (end > bytes.length) return undefined
  const checksum = checksumOf(bytes.subarray(0, end))
  if (!equalBytes(checksum, bytes.subarray(0, CHECKSUM_BYTES))) return undefined
  const number = Number(view.getBigUint64(CHECKSUM_BYTES))
  return { number, value: bytes.slice(HEADER_BYTES, end) }
}

function checksumOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes.subarray(CHECKSUM_BYTES)).subarray(0, CHECKSUM_BYTES)
}

const CHECKSUM_BYTES = 16
const HEADER_BYTES = CHECKSUM_BYTES + 8 + 4
/** Files have whole multiples of it, so that a value which grows a little leaves its file's length as it is. */
const UNIT_BYTES = 1024
const ATTEMPTS = 4
const TURNS_KNOWN = 4096
