import { plainNumber } from '../models/chart.ts'
import { erasureCode, type ErasureCode } from '../../src/erasure/code.ts'

export const DAYS_PER_YEAR = 365.25
/** Losses are told for this long: people keep photographs, not backups of a week. */
const HORIZON_YEARS = 10
export const HORIZON_DAYS = HORIZON_YEARS * DAYS_PER_YEAR

/**
 * How long a friend's node lasts. Drives alone would last far longer (1.4 % fail a year, as Backblaze reports of its
 * own); people sell computers, move, lose interest and wipe disks.
 */
export const NODE_LIFE_DAYS = 4 * DAYS_PER_YEAR
/** Fire, flood, burglary, a divorce: everything in one household goes. */
export const HOUSEHOLD_LIFE_DAYS = 50 * DAYS_PER_YEAR

/** The codes of the default for 1–2, 3, 4, 5–6, 7–9, ten or more households. */
export const CODES: readonly ErasureCode[] = [
  erasureCode(1, 2),
  erasureCode(2, 3),
  erasureCode(2, 4),
  erasureCode(2, 5),
  erasureCode(3, 7),
  erasureCode(3, 10),
]

export function nameOf({ required, total }: ErasureCode): string {
  return `${required}-of-${total}`
}

/** A share in each household. */
export function oneEach({ total }: ErasureCode): number[] {
  return Array.from({ length: total }, () => 1)
}

/** `9 hours`, `3 days`, `7 weeks`, `5 months`, `2.1 years`. */
export function daysText(days: number): string {
  if (days < 1.5 / 24) return 'under an hour'
  if (days < 1) return `${Math.round(days * 24)} hours`
  if (days < 1.05) return '1 day'
  if (days < 14) return `${Number(days.toPrecision(2))} days`
  if (days < 84) return `${Math.round(days / 7)} weeks`
  if (days < 2 * DAYS_PER_YEAR) return `${Math.round(days / 30.44)} months`
  return `${Number((days / DAYS_PER_YEAR).toPrecision(2))} years`
}

/** `12 %`, `0.3 %`, `1 in 20,000`, `1 in 3 · 10⁹`. */
export function chanceText(probability: number): string {
  if (probability > 0.9995) return 'certain'
  if (probability >= 0.001) return `${Number((probability * 100).toPrecision(2))} %`
  if (probability === 0) return 'never'
  const odds = Number((1 / probability).toPrecision(2))
  if (odds < 1e6) return `1 in ${odds.toLocaleString('en-US')}`
  return `1 in ${plainNumber(odds)}`
}
