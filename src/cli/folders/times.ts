import { usageError } from '../failures.ts'

/** A time on the command line: a moment, or a place in a history that counts from its newest end. */
export type TimeArgument =
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'index'; readonly index: number }

/**
 * `2026-11-23`, `2026-11-23T13:45`, `2026-11-23 13:45:10Z`; `2h ago`, `30min`, `yesterday`; or the number that `history`
 * shows. Without a zone, times are those of this computer.
 * @throws CliError
 */
export function timeArgument(text: string, nowMs: number): TimeArgument {
  const trimmed = text.trim()
  if (/^\d{1,9}$/.test(trimmed)) return { kind: 'index', index: Number(trimmed) }
  const timeMs = agoMs(trimmed, nowMs) ?? isoMs(trimmed)
  if (timeMs === undefined) {
    throw usageError(
      'That is no time. Give one such as 2026-11-23, "2026-11-23 13:45", "2h ago" or yesterday, or the number that "hayloft history" shows.',
    )
  }
  return { kind: 'time', timeMs }
}

function agoMs(text: string, nowMs: number): number | undefined {
  if (text === 'now') return nowMs
  if (text === 'yesterday') return nowMs - UNITS_MS.d
  const [, amount, unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)\s*([a-z]+)(?:\s+ago)?$/i.exec(text) ?? []
  const found = UNIT_NAMES.find(({ names }) => names.test(unit))
  return amount === undefined || found === undefined
    ? undefined
    : Math.round(nowMs - Number(amount) * found.ms)
}

const UNITS_MS = { s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

const UNIT_NAMES = [
  { names: /^(s|secs?|seconds?)$/i, ms: UNITS_MS.s },
  { names: /^(m|mins?|minutes?)$/i, ms: UNITS_MS.min },
  { names: /^(h|hrs?|hours?)$/i, ms: UNITS_MS.h },
  { names: /^(d|days?)$/i, ms: UNITS_MS.d },
  { names: /^(w|weeks?)$/i, ms: 7 * UNITS_MS.d },
] as const

/** The part of ISO 8601 that people write. A day that does not exist is no time. */
function isoMs(text: string): number | undefined {
  const [, date, time, zone = ''] = ISO.exec(text) ?? []
  if (date === undefined) return undefined
  const timeMs = Date.parse(`${date}T${time ?? '00:00'}${zone.toUpperCase()}`)
  const day = Date.parse(`${date}T00:00Z`)
  const isReal = !Number.isNaN(day) && new Date(day).toISOString().startsWith(date)
  return Number.isNaN(timeMs) || !isReal ? undefined : timeMs
}

const ISO =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)\s*(Z|[+-]\d{2}:\d{2})?)?$/i

/** `2026-11-23 13:45` by this computer's zone; with seconds where they tell moments apart. */
export function formatTime(timeMs: number, { seconds = false } = {}): string {
  const at = new Date(timeMs)
  const date = [pad(at.getFullYear(), 4), pad(at.getMonth() + 1), pad(at.getDate())].join('-')
  const time = [at.getHours(), at.getMinutes(), ...(seconds ? [at.getSeconds()] : [])]
  return `${date} ${time.map((part) => pad(part)).join(':')}`
}

function pad(number: number, width = 2): string {
  return String(number).padStart(width, '0')
}
