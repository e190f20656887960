import { usageError } from '../failures.ts'

/**
 * How long an invite lasts, such as `7d`, `12h`, `30min`, or `never` for one without an end.
 * @returns Unix time in seconds; 0 for never
 * @throws CliError
 */
export function lifetimeArgument(text: string, nowMs: number): number {
  const trimmed = text.trim().toLowerCase()
  if (trimmed === 'never') return 0
  const [, amount, unit = ''] = /^(\d{1,4})\s*([a-z]+)$/.exec(trimmed) ?? []
  const found = UNITS.find(({ names }) => names.test(unit))
  const lifetimeS = Number(amount) * (found?.seconds ?? 0)
  if (found !== undefined && lifetimeS > 0 && lifetimeS <= MAX_LIFETIME_S) {
    return Math.floor(nowMs / 1000) + lifetimeS
  }
  throw usageError(
    'The option --expires takes a time up to 10 years, such as 30min, 12h, 7d, 2w or 1y, or never.',
  )
}

const MAX_LIFETIME_S = 10 * 366 * 24 * 3600

const UNITS = [
  { names: /^(m|mins?|minutes?)$/, seconds: 60 },
  { names: /^(h|hours?)$/, seconds: 3600 },
  { names: /^(d|days?)$/, seconds: 24 * 3600 },
  { names: /^(w|weeks?)$/, seconds: 7 * 24 * 3600 },
  { names: /^(y|years?)$/, seconds: 365 * 24 * 3600 },
] as const
