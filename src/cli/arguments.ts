import { createReadStream } from 'node:fs'
import type { Capability } from '../capabilities/capability.ts'
import { MalformedCapabilityError } from '../capabilities/malformed.ts'
import { parseCapability } from '../capabilities/text.ts'
import { erasureCode, type ErasureCode } from '../erasure/code.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { usageError } from './failures.ts'

/** Longer than any capability with a path of 255 names of 255 bytes. */
const MAX_TEXT_BYTES = 66_000

/**
 * A capability as given on the command line: the text itself, `-` for standard input, or `@FILE`, which keep it out
 * of the list of processes that every user of the machine can read.
 * @throws MalformedCapabilityError, CliError
 */
export async function capabilityArgument(argument: string): Promise<Capability> {
  return parseCapability((await textArgument(argument)).trim())
}

/** `k/n`, as `--shares` takes it. @throws CliError, InvalidErasureCodeError */
export function sharesArgument(text: string): ErasureCode {
  const match = /^(\d{1,3})\/(\d{1,3})$/.exec(text)
  if (match === null) {
    throw usageError(
      'The option --shares takes k/n, such as 3/10: any k of n shares bring the file back.',
    )
  }
  return erasureCode(Number(match[1]), Number(match[2]))
}

/** `OFFSET:LENGTH` in bytes, as `--range` takes it. @throws CliError */
export function rangeArgument(text: string): { offset: number; length: number } {
  const match = /^(\d+):(\d+)$/.exec(text)
  const offset = Number(match?.[1])
  const length = Number(match?.[2])
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length)) {
    throw usageError(
      'The option --range takes OFFSET:LENGTH in bytes, such as 1048576:1024: 1,024 bytes from the 1,048,577th on.',
    )
  }
  return { offset, length }
}

/** An argument as it is, or what `-` and `@FILE` stand for. @throws CliError, MalformedCapabilityError if it is too long */
export async function textArgument(argument: string): Promise<string> {
  if (argument === '-') return await textFrom(process.stdin as AsyncIterable<Buffer>)
  if (!argument.startsWith('@')) return argument
  const path = argument.slice(1)
  return await describingFailures(
    `The file ${path}`,
    async () => await textFrom(createReadStream(path) as AsyncIterable<Buffer>),
  )
}

/** Reads to the end: what is cut off a path would make it another one. */
async function textFrom(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of chunks) {
    parts.push(part)
    length += part.length
    if (length > MAX_TEXT_BYTES) {
      throw new MalformedCapabilityError('length', 'This is far too long to be a capability.')
    }
  }
  return Buffer.concat(parts).toString('utf8')
}
