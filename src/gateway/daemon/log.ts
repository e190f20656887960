import { appendFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withoutCapabilities } from '../../capabilities/redact.ts'
import type { Clock } from '../../foundation/clock.ts'

/** One line for each thing that happens; never anything secret. */
export interface DaemonLog {
  /** `event` is a stable word; the rest is for people. */
  write(event: string, text?: string): void
}

export interface LogFilesOptions {
  readonly clock: Clock
  /** Of one file. */
  readonly maxBytes?: number
  /** Of all, the one that is written included. */
  readonly maxFiles?: number
}

const MAX_FILE_BYTES = 2 * 1024 * 1024
const MAX_FILES = 5
/** What a broken peer or disk can make one line hold. */
const MAX_TEXT_CHARACTERS = 1000

/**
 * A log of bounded size in a directory that is there: `daemon.log`, a JSON object a line with `time`, `event` and perhaps `text`, and older ones
 * `daemon.1.log` and on. That it cannot be written (a full disk) is no reason to end what it tells of.
 */
export function logToFiles(
  directory: string,
  { clock, maxBytes = MAX_FILE_BYTES, maxFiles = MAX_FILES }: LogFilesOptions,
): DaemonLog {
  const path = join(directory, 'daemon.log')
  const older = (number: number): string => join(directory, `daemon.${number}.log`)
  const rotate = (): void => {
    rmSync(older(maxFiles - 1), { force: true })
    for (let number = maxFiles - 2; number >= 1; number--) {
      if (isThere(older(number))) renameSync(older(number), older(number + 1))
    }
    renameSync(path, older(1))
  }
  let sizeBytes: number | undefined
  return {
    write(event, text = '') {
      try {
        sizeBytes ??= statSync(path, { throwIfNoEntry: false })?.size ?? 0
        const line = lineOf(clock, event, text)
        if (sizeBytes > 0 && sizeBytes + line.length > maxBytes) {
          rotate()
          sizeBytes = 0
        }
        appendFileSync(path, line, { mode: 0o600 })
        sizeBytes += line.length
      } catch {
        // Looked at anew next time.
        sizeBytes = undefined
      }
    },
  }
}

/** Writes to several logs. */
export function logToAll(logs: readonly DaemonLog[]): DaemonLog {
  return {
    write(event, text) {
      for (const log of logs) log.write(event, text)
    },
  }
}

/** Nothing that is logged should hold a capability; if a path or another program's message does, it stays out. */
function lineOf(clock: Clock, event: string, text: string): Buffer {
  const time = new Date(clock.nowMs()).toISOString()
  const shown = withoutCapabilities(text).slice(0, MAX_TEXT_CHARACTERS)
  return Buffer.from(`${JSON.stringify({ time, event, ...(shown !== '' && { text: shown }) })}\n`)
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
