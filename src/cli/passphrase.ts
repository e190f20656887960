import { openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { ReadStream, WriteStream } from 'node:tty'
import { utf8 } from '../foundation/bytes.ts'
import { EXIT } from './exit-codes.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { CliError, InterruptedError, usageError } from './failures.ts'
import { PASSPHRASE_FILE_VARIABLE } from './passphrase-file.ts'

/**
 * The passphrase of this home: from the file that {@link PASSPHRASE_FILE_VARIABLE} names, or else from whoever sits at
 * the terminal. Never from the command line, which every user of the machine can read. @throws CliError
 */
export async function askPassphrase(): Promise<Uint8Array> {
  return (await passphraseOfFile()) ?? bytesOf(await promptHidden('Passphrase: '))
}

/**
 * The same for a passphrase that is about to be set: at a terminal it has to be typed twice.
 * @param file - holds it, in place of the file that the variable names
 * @throws CliError
 */
export async function askNewPassphrase(file?: string): Promise<Uint8Array> {
  const named = await passphraseOfFile(file)
  if (named !== undefined) return named
  const first = bytesOf(await promptHidden('New passphrase: '))
  const second = bytesOf(await promptHidden('The same again: '))
  if (Buffer.compare(first, second) === 0) return first
  throw usageError('These were two different passphrases. Nothing was changed.')
}

/** Far more than anybody remembers; a larger file is another one. */
const MAX_PASSPHRASE_BYTES = 1024

async function passphraseOfFile(
  path = process.env[PASSPHRASE_FILE_VARIABLE],
): Promise<Uint8Array | undefined> {
  if (path === undefined || path === '') return undefined
  if (path === STANDARD_INPUT) return bytesOf((await firstOfStandardInput()).replace(/\r?\n$/, ''))
  const text = await describingFailures(`The passphrase file ${path}`, async () => {
    await using file = await open(path, 'r')
    const buffer = Buffer.alloc(MAX_PASSPHRASE_BYTES + 1)
    const { bytesRead } = await file.read(buffer, 0, buffer.length, null)
    return buffer.toString('utf8', 0, bytesRead)
  })
  // As an editor leaves it: one line, and its end is no part of it.
  return bytesOf(text.replace(/\r?\n$/, ''))
}

const STANDARD_INPUT = '-'

/** No more than a passphrase has, and what makes it too long. */
async function firstOfStandardInput(): Promise<string> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part)
    sizeBytes += part.length
    if (sizeBytes > MAX_PASSPHRASE_BYTES) break
  }
  return Buffer.concat(parts).toString('utf8')
}

function bytesOf(text: string): Uint8Array {
  // Another keyboard may compose an accented letter in another way.
  const bytes = utf8(text.normalize('NFC'))
  if (bytes.length === 0) throw usageError('The passphrase is empty.')
  if (bytes.length > MAX_PASSPHRASE_BYTES) {
    throw usageError(`A passphrase has at most ${MAX_PASSPHRASE_BYTES} bytes.`)
  }
  if (/[\r\n]/.test(text)) throw usageError('A passphrase has one line, and this has several.')
  return bytes
}

/** One line typed at the terminal, which shows none of it. @throws CliError if there is no terminal */
async function promptHidden(prompt: string): Promise<string> {
  const { input, output } = openTeletype()
  output.write(prompt)
  input.setRawMode(true)
  try {
    return await hiddenLine(input as AsyncIterable<Buffer>)
  } finally {
    input.setRawMode(false)
    output.write('\n')
    input.destroy()
    output.destroy()
  }
}

/** The terminal itself: standard input may be a pipe that carries a capability or a file. */
function openTeletype(): { input: ReadStream; output: WriteStream } {
  const path = process.platform === 'win32' ? String.raw`\\.\con` : '/dev/tty'
  try {
    return {
      input: new ReadStream(openSync(path, 'r')),
      output: new WriteStream(openSync(path, 'w')),
    }
  } catch (cause) {
    throw new CliError(
      {
        exit: EXIT.usage,
        code: 'no-terminal',
        message: `A passphrase is needed, and there is no terminal to ask at. Name a file that holds it: --passphrase-file FILE, or the variable ${PASSPHRASE_FILE_VARIABLE}.`,
      },
      { cause },
    )
  }
}

const ENTER = /[\r\n]/
const INTERRUPT = '\u0003'
const END_OF_INPUT = '\u0004'
const ERASE: ReadonlySet<string> = new Set(['\u0008', '\u007F'])
const ERASE_LINE = '\u0015'

/** The line that somebody types, key by key, at a terminal that leaves the editing to us. @throws InterruptedError */
export async function hiddenLine(keys: AsyncIterable<Buffer>): Promise<string> {
  const decoder = new StringDecoder('utf8')
  let typed: string[] = []
  for await (const part of keys) {
    for (const key of decoder.write(part)) {
      if (ENTER.test(key)) return typed.join('')
      if (key === INTERRUPT || key === END_OF_INPUT) throw new InterruptedError('SIGINT')
      if (ERASE.has(key)) typed.pop()
      else if (key === ERASE_LINE) typed = []
      else if (typed.length < MAX_PASSPHRASE_BYTES) typed.push(key)
    }
  }
  throw new InterruptedError('SIGINT')
}
