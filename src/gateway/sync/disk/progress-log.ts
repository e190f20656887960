import { startSha256 } from '../../../crypto/hash.ts'
import type { StreamedHash } from '../../../crypto/backend.ts'
import { allocateBytes, equalBytes, viewOf } from '../../../foundation/bytes.ts'
import { unlessGone } from './careful.ts'
import { fill } from './disk-files.ts'
import type { FileSystem, ReadableHandle, WritableHandle } from './file-system.ts'

/**
 * How far a file had come, beside that file: `u64 length ‖ SHA-256 of so many bytes`, 40 bytes each time. Nothing of it is made
 * durable: after a power cut whatever was lost does not fit its hash.
 */
export class ProgressLog {
  readonly #file: WritableHandle
  readonly #stepBytes: number
  #writtenBytes: number

  private constructor(file: WritableHandle, writtenBytes: number, stepBytes: number) {
    this.#file = file
    this.#writtenBytes = writtenBytes
    this.#stepBytes = stepBytes
  }

  /** @param begun - what the file begins with that the log is to go on after; a new log if there is none */
  static async open(
    files: FileSystem,
    at: string,
    { begun, stepBytes }: { begun: Begun | undefined; stepBytes: number },
  ): Promise<ProgressLog> {
    const file =
      begun === undefined
        ? await files.create(at, { isExecutable: false })
        : await files.reopen(at, begun.entries * ENTRY_BYTES)
    return new ProgressLog(file, begun?.sizeBytes ?? 0, stepBytes)
  }

  /** Once in a while, and at the end. The bytes must have been written. */
  async note(sizeBytes: number, hash: StreamedHash, { isEnd = false } = {}): Promise<void> {
    const ahead = sizeBytes - this.#writtenBytes
    if (ahead === 0 || (ahead < this.#stepBytes && !isEnd)) return
    const entry = allocateBytes(ENTRY_BYTES)
    viewOf(entry).setBigUint64(0, BigInt(sizeBytes))
    entry.set(hash.copy().digest(), 8)
    await this.#file.write(entry)
    this.#writtenBytes = sizeBytes
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

/** What is there of a file, and is what it was when it was written. */
export interface Begun {
  readonly sizeBytes: number
  /** Of these bytes. */
  readonly hash: StreamedHash
  /** Of the log, that are about these bytes. */
  readonly entries: number
}

/** @returns undefined if there is nothing that could be gone on with */
export async function findBegun(
  files: FileSystem,
  { at, log, sizeBytes }: { at: string; log: string; sizeBytes: number },
): Promise<Begun | undefined> {
  const logged = await unlessGone(files.open(log))
  if (logged === undefined) return undefined
  try {
    const file = await unlessGone(files.open(at))
    if (file === undefined) return undefined
    try {
      // Under a second name it is a file of the user's by now, and must not be written to.
      const { nlink } = await file.stat()
      return nlink === 1n ? await longestBegun(file, logged, sizeBytes) : undefined
    } finally {
      await file.close()
    }
  } finally {
    await logged.close()
  }
}

async function longestBegun(
  file: ReadableHandle,
  log: ReadableHandle,
  sizeBytes: number,
): Promise<Begun | undefined> {
  const hash = startSha256()
  const buffer = allocateBytes(READ_BYTES)
  let begun: Begun | undefined
  let readBytes = 0
  // Ends, as each entry is of more bytes than the one before.
  for (let entries = 1; ; entries++) {
    const entry = buffer.slice(0, ENTRY_BYTES)
    if (!(await fill(log, entry, (entries - 1) * ENTRY_BYTES))) return begun
    const endBytes = Number(viewOf(entry).getBigUint64(0))
    if (endBytes <= readBytes || endBytes > sizeBytes) return begun
    while (readBytes < endBytes) {
      const piece = buffer.subarray(0, Math.min(READ_BYTES, endBytes - readBytes))
      if (!(await fill(file, piece, readBytes))) return begun
      hash.update(piece)
      readBytes += piece.length
    }
    if (!equalBytes(hash.copy().digest(), entry.subarray(8))) return begun
    begun = { sizeBytes: readBytes, hash: hash.copy(), entries }
  }
}

const ENTRY_BYTES = 8 + 32
const READ_BYTES = 256 * 1024
