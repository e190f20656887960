import { once } from 'node:events'
import { withoutCapabilities } from '../capabilities/redact.ts'
import type { Failure } from './failures.ts'

/**
 * What a command may say and where: results go to standard output, everything else to standard error, so that
 * `hayloft get … | tar x` works. The only place that writes to either.
 */
export interface Terminal {
  /** Whether results are wanted as JSON. */
  readonly json: boolean
  /** Whether a person watches standard error, so that progress may be drawn. */
  readonly isWatched: boolean
  /** Whether a person reads standard output, so that columns are wanted and control characters would do harm. */
  readonly isScreen: boolean
  /** One line of a result. */
  line(text: string): void
  /** The result of a command with `--json`. */
  value(value: unknown): void
  /** One line for people, on standard error; silent with `--json`. */
  note(text: string): void
  /** A failure, in the form that is wanted. */
  failure(failure: Failure): void
}

export function openTerminal(options: { readonly json: boolean }): Terminal {
  const { json } = options
  const say = (text: string): void => {
    process.stderr.write(`${printable(text)}\n`)
  }
  return {
    json,
    isWatched: process.stderr.isTTY && !json,
    isScreen: process.stdout.isTTY && !json,
    line: (text) => process.stdout.write(`${text}\n`),
    value: (value) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`),
    note(text) {
      if (!json) say(withoutCapabilities(text))
    },
    failure({ code, message }) {
      const shown = withoutCapabilities(message)
      if (json) say(JSON.stringify({ error: { code, message: shown } }))
      else say(`hayloft: ${shown}`)
    },
  }
}

/**
 * A text that may hold names which others chose: what would move the cursor, change colours or turn the direction of
 * writing stands there as an escape. Line ends stay.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** Control characters but the line feed; those that turn the direction of writing; separators of lines. */
const UNPRINTABLE = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** The same of a name, which in a list is one line. */
export function printableName(name: string): string {
  return printable(name).replaceAll('\n', '\\n')
}

/** Waits until everything written so far has left the process. */
export async function flush(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return
  await new Promise<void>((resolve) => {
    stream.write('', () => {
      resolve()
    })
  })
}

/** Writes to standard output no faster than it is read. */
export async function writeOut(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  if (process.stdout.write(bytes)) return
  await once(process.stdout, 'drain', { signal })
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1536` as `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`
}
