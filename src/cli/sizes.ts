import { usageError } from './failures.ts'

/** 1,000 to a step where a maker of disks counts, 1,024 where a programmer does. */
const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  pb: 1e15,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  pib: 2 ** 50,
}

/**
 * A size as people write it, such as `500GB`, `1.5 TiB` or `0`, in bytes.
 * @param option - what it was given for, such as `--offer`
 * @throws CliError
 */
export function sizeArgument(text: string, option: string): number {
  const bytes = parseSize(text)
  if (bytes !== undefined) return bytes
  throw usageError(
    `The option ${option} takes a size with its unit, such as 500GB or 1.5TiB ` +
      '(KB, MB, GB, TB count by 1,000; KiB, MiB, GiB, TiB by 1,024).',
  )
}

/**
 * A rate such as `2MB/s` or `20Mbit/s` in bytes a second, or `none` for no limit.
 * @returns undefined for no limit
 * @throws CliError
 */
export function rateArgument(text: string, option: string): number | undefined {
  const trimmed = text.trim()
  if (/^(none|off|unlimited)$/i.test(trimmed)) return undefined
  const bits = /^(.+?)([kmg]?)bit(?:\/s|ps)?$/i.exec(trimmed)
  const bytes =
    bits === null
      ? parseSize(trimmed.replace(/(?:\/s|ps)$/i, ''))
      : bitRate(bits[1] ?? '', bits[2] ?? '')
  if (bytes !== undefined && bytes >= MIN_RATE_BYTES_PER_S) return bytes
  throw usageError(
    `The option ${option} takes a rate of at least 10KB/s, such as 2MB/s or 20Mbit/s, or none for no limit.`,
  )
}

/** Below, a single share would take longer than anybody waits. */
const MIN_RATE_BYTES_PER_S = 10_000

function parseSize(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)$/i.exec(text.trim())
  if (match === null) return undefined
  const number = Number(match[1])
  const unit = (match[2] ?? '').toLowerCase()
  // A bare number could mean anything but nothing at all.
  if (unit === '') return number === 0 ? 0 : undefined
  const unitBytes = UNIT_BYTES[unit]
  if (unitBytes === undefined) return undefined
  const bytes = Math.floor(number * unitBytes)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

function bitRate(number: string, prefix: string): number | undefined {
  const bits = parseSize(`${number.trim()}${prefix}b`)
  return bits === undefined ? undefined : Math.floor(bits / 8)
}
