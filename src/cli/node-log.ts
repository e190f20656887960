import { appendFileSync, renameSync, statSync } from 'node:fs'
import type { Clock } from '../foundation/clock.ts'

/** One line for each thing that happens to a node; never anything secret. */
export interface NodeLog {
  /** `event` is a stable word; the rest is for people. */
  write(event: string, text?: string): void
}

/** A node runs for years: its log is kept in two files of at most this size, the older one with `.1` at its end. */
const MAX_LOG_BYTES = 1024 * 1024
/** What a broken peer or disk can make one line hold. */
const MAX_LINE_CHARACTERS = 500

export function logToFile(path: string, clock: Clock): NodeLog {
  let sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  return {
    write(event, text) {
      const line = logLine(clock, event, text)
      if (sizeBytes + line.length > MAX_LOG_BYTES) {
        renameSync(path, `${path}.1`)
        sizeBytes = 0
      }
      appendFileSync(path, line, { mode: 0o600 })
      sizeBytes += line.length
    },
  }
}

export function logToStandardError(clock: Clock): NodeLog {
  return {
    write(event, text) {
      process.stderr.write(logLine(clock, event, text))
    },
  }
}

function logLine(clock: Clock, event: string, text = ''): string {
  const time = new Date(clock.nowMs()).toISOString()
  // What a peer or the disk says must stay one line.
  const shown = text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_LINE_CHARACTERS)
  return `${time} ${event}${shown === '' ? '' : ` ${shown}`}\n`
}
