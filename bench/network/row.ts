import type { Verdict } from '../row.ts'

/** One figure of how Hayloft does on a network. */
export interface NetworkRow {
  readonly name: string
  /** Undefined: not measured, and `detail` says why. */
  readonly value: number | undefined
  readonly unit: '%' | 's' | 'ms' | 'KiB' | 'MB' | 'shares'
  /** What it is made of. */
  readonly detail: string
  readonly targets: readonly Verdict[]
}

interface Target {
  readonly text: string
  readonly atMost?: number
  readonly atLeast?: number
}

export function networkRow(
  row: Omit<NetworkRow, 'targets'>,
  { text, atMost = Infinity, atLeast = -Infinity }: Target = { text: '' },
): NetworkRow {
  const { value } = row
  if (value === undefined || text === '') return { ...row, targets: [] }
  const isMet = value <= atMost && value >= atLeast
  return { ...row, targets: [{ target: text, value, isMet }] }
}
