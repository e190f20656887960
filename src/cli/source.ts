import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { BigIntStats } from 'node:fs'
import { allocateBytes } from '../foundation/bytes.ts'
import { EXIT } from './exit-codes.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { CliError } from './failures.ts'

/** What is to be put: bytes, and how many there will be if that is known. */
export interface Source extends AsyncDisposable {
  readonly sizeBytes: number | undefined
  /** Of a file, as it was opened. */
  readonly stats?: BigIntStats | undefined
  /** May be read once. @throws CliError, also when the file changed under the reading */
  readonly chunks: AsyncIterable<Uint8Array>
}

/** What is read at a time: a block, so that reading does not run far ahead of sealing. */
const CHUNK_BYTES = 1024 * 1024

/** The argument that means standard input. */
export const STANDARD_INPUT = '-'

/**
 * @param options.follow whether a symbolic link means what it leads to, which it does by default
 * @throws CliError if there is nothing there that can be read
 */
export async function openSource(
  path: string,
  { follow = true }: { readonly follow?: boolean } = {},
): Promise<Source> {
  if (path === STANDARD_INPUT) {
    return {
      sizeBytes: undefined,
      chunks: standardInput(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  const subject = `The file ${path}`
  return await describingFailures(subject, async () => {
    // Non-blocking, for a FIFO that nobody writes to would hang the opening itself, deaf to Ctrl-C.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
    const file = await open(path, follow ? flags : flags | (constants.O_NOFOLLOW ?? 0))
    try {
      const before = await file.stat({ bigint: true })
      refuseUnreadable(path, before)
      return fileSource(file, { subject, before })
    } catch (thrown) {
      await file.close()
      throw thrown
    }
  })
}

function refuseUnreadable(path: string, stats: BigIntStats): void {
  if (stats.isDirectory()) {
    throw new CliError({
      exit: EXIT.inputMissing,
      code: 'is-directory',
      message: `${path} is a directory. To put all that is in it into a folder: hayloft put -r ${path} home:`,
    })
  }
  if (!stats.isFile()) {
    throw new CliError({
      exit: EXIT.inputMissing,
      code: 'not-a-file',
      message: `${path} is not an ordinary file. To store what a program writes, use its output: program | hayloft put -`,
    })
  }
}

function fileSource(
  file: FileHandle,
  { subject, before }: { subject: string; before: BigIntStats },
): Source {
  return {
    sizeBytes: Number(before.size),
    stats: before,
    chunks: describedChunks(subject, readWhole(file, { subject, before })),
    async [Symbol.asyncDispose]() {
      await file.close()
    },
  }
}

async function* readWhole(
  file: FileHandle,
  { subject, before }: { subject: string; before: BigIntStats },
): AsyncGenerator<Uint8Array> {
  let offset = 0
  for (;;) {
    const remaining = Number(before.size) - offset
    // One byte more than should be there tells whether the file grew.
    const chunk = allocateBytes(Math.min(CHUNK_BYTES, Math.max(remaining, 0) + 1))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, offset)
    offset += bytesRead
    if (offset > Number(before.size)) throw changed(subject)
    if (bytesRead > 0) yield chunk.subarray(0, bytesRead)
    if (bytesRead < chunk.length) break
  }
  const after = await file.stat({ bigint: true })
  const isSame =
    offset === Number(before.size) &&
    after.size === before.size &&
    after.mtimeNs === before.mtimeNs &&
    after.ctimeNs === before.ctimeNs
  if (!isSame) throw changed(subject)
}

/** Half of the old content and half of the new is no version that anybody ever had. */
function changed(subject: string): CliError {
  return new CliError({
    exit: EXIT.io,
    code: 'file-changed',
    message: `${subject} changed while it was read, so it was not stored. Put it again once nothing writes to it.`,
  })
}

async function* standardInput(): AsyncGenerator<Uint8Array> {
  yield* describedChunks('Standard input', process.stdin as AsyncIterable<Uint8Array>)
}

async function* describedChunks(
  subject: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await describingFailures(subject, async () => await iterator.next())
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}
