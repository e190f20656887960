import type { ErasureBenchRow } from './erasure.ts'
import type { NetworkRow } from './network/row.ts'
import type { Cost, Primitives } from './primitives.ts'
import { totalCpuS, type Row, type Verdict } from './row.ts'
import type { SealingResult } from './sealing.ts'

/** Right-aligned columns but for the first, which names. */
function formatTable(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  return all
    .map((line) =>
      widths
        .map((width, column) => {
          const cell = line[column] ?? ''
          return column === 0 || (column === widths.length - 1 && head.at(-1) === 'targets')
            ? cell.padEnd(width)
            : cell.padStart(width)
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function formatRows(rows: readonly Row[]): string {
  return formatTable(ROWS_HEAD, rows.map(formatRow))
}

const ROWS_HEAD = [
  'operation',
  'runs',
  'wall s',
  'least–most',
  'rate',
  'CPU s client',
  'nodes',
  'RSS MB client',
  'node',
  'primitives s',
  'wall ×',
  'CPU ×',
  'targets',
] as const

export function formatRow(row: Row): string[] {
  const [least, most] = row.wallSpreadS
  const cpuS = totalCpuS(row)
  const { primitives } = row
  return [
    row.name,
    String(row.runs),
    seconds(row.wallS),
    row.runs === 1 ? '' : `${seconds(least)}–${seconds(most)}`,
    row.rate === undefined ? '' : `${figure(row.rate.value)} ${row.rate.unit}`,
    seconds(row.clientCpuS),
    optional(row.nodesCpuS, seconds),
    optional(row.clientPeakBytes, megabytes),
    optional(row.largestNodePeakBytes, megabytes),
    optional(primitives?.cpuS, seconds),
    optional(primitives && row.wallS / primitives.wallS, ratio),
    optional(primitives && cpuS && cpuS / primitives.cpuS, ratio),
    [extra(row), ...row.targets.map(verdict)].filter((text) => text !== '').join('; '),
  ]
}

export function formatPrimitives(primitives: { large: Primitives; small: Primitives }): string {
  const lines = Object.entries(WHAT_PRIMITIVES_ARE).map(([name, what]) => {
    const { large, small } = {
      large: primitives.large[name as keyof Primitives],
      small: primitives.small[name as keyof Primitives],
    }
    return [what, speed(large), perCpu(large), speed(small), perCpu(small)]
  })
  return formatTable(
    ['primitive, MB/s', '1 MiB blocks', 'per CPU s', '4 KiB blocks', 'per CPU s'],
    lines,
  )
}

/** What a figure is made of goes below it: it is a sentence, or the reason why there is no figure. */
export function formatNetwork(rows: readonly NetworkRow[]): string {
  return rows
    .map(({ name, value, unit, detail, targets }) => {
      const shown = value === undefined ? '–' : `${figure(value)} ${unit}`
      const line = [`${name.padEnd(40)} ${shown.padStart(11)}`, targets.map(verdict).join('; ')]
      return `${line.join('  ').trimEnd()}\n    ${detail}`
    })
    .join('\n')
}

export function formatErasure(
  rows: readonly ErasureBenchRow[],
  verdicts: readonly Verdict[],
): string {
  const table = formatTable(
    ['erasure code, MB/s', 'block bytes', 'encode', 'decode', 'one lost'],
    rows.map((row) => [
      `${row.engine} ${row.code}`,
      row.contentBytes.toLocaleString('en-US'),
      row.encodeMBps.toLocaleString('en-US'),
      row.decodeMBps.toLocaleString('en-US'),
      row.decodeOneMBps.toLocaleString('en-US'),
    ]),
  )
  return [table, ...verdicts.map(verdict)].join('\n')
}

export function formatSealing(results: readonly SealingResult[]): string {
  return formatTable(
    ['sealing', 'µs', 'MB/s'],
    results.map(({ name, microseconds, megabytesPerSecond }) => [
      name,
      microseconds.toFixed(2),
      optional(megabytesPerSecond, figure),
    ]),
  )
}

const WHAT_PRIMITIVES_ARE: Readonly<Record<keyof Primitives, string>> = {
  sha256: 'SHA-256 of shares',
  aead: 'ChaCha20-Poly1305',
  encode: '3-of-10: 7 parity shares from 3',
  decode: '3-of-10: 2 of 3 data shares lost',
  rebuild: '3-of-10: 4 shares from 3 others',
  tcp: 'loopback TCP, both processes',
  durable: 'shares written and synced',
}

function extra({ extraS }: Row): string {
  if (extraS === undefined) return ''
  return `${extraS < 0 ? '−' : '+'}${Math.abs(extraS).toFixed(2)} s`
}

function verdict({ target, isMet }: Verdict): string {
  return `${target} ${isMet ? 'met' : 'MISSED'}`
}

function optional(value: number | undefined, format: (value: number) => string): string {
  return value === undefined ? '–' : format(value)
}

function seconds(value: number): string {
  return value < 0.1 ? value.toFixed(4) : value.toFixed(2)
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0)
}

function ratio(value: number): string {
  return value.toFixed(2)
}

function figure(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US')
}

function speed({ wallS }: Cost): string {
  return figure(1 / wallS / 1e6)
}

function perCpu({ cpuS }: Cost): string {
  return figure(1 / cpuS / 1e6)
}
