import type { ErasureBenchRow } from './erasure.ts'
import { totalCpuS, type Row, type Verdict } from './row.ts'

interface Target {
  readonly row: RegExp
  readonly text: string
  /** Undefined where this run cannot tell. */
  value(row: Omit<Row, 'targets'>): number | undefined
  readonly atMost?: number
  readonly atLeast?: number
}

/** What Hayloft sets out to reach on two cores with all ten nodes on the same machine. */
const TARGETS: readonly Target[] = [
  { row: /^PUT 100 MiB$/, text: 'CPU ≤ 2.2 s', value: totalCpuS, atMost: 2.2 },
  { row: /^PUT 100 MiB$/, text: '≥ 50 MB/s', value: rate, atLeast: 50 },
  { row: /^GET 100 MiB$/, text: 'CPU ≤ 1.0 s', value: totalCpuS, atMost: 1 },
  { row: /^GET 100 MiB$/, text: '≥ 100 MB/s', value: rate, atLeast: 100 },
  { row: /^PUT 1,000 files/, text: '≥ 300 files/s', value: rate, atLeast: 300 },
  {
    row: /^range .* 100 MiB, connected$/,
    text: '≤ 20 ms',
    value: milliseconds,
    atMost: 20,
  },
  { row: /^(PUT|GET) 1 GiB$/, text: 'RSS ≤ 300 MB', value: clientMegabytes, atMost: 300 },
  { row: /^re-PUT (100 MiB|1 GiB)/, text: '≥ 200 MB/s', value: rate, atLeast: 200 },
  { row: /^200 overwrites/, text: '≥ 100/s', value: rate, atLeast: 100 },
  { row: /^add 1 KiB to a folder of 1,000$/, text: '≤ 40 ms', value: milliseconds, atMost: 40 },
  { row: /^add 1 KiB to a folder of 100,000$/, text: '≤ 80 ms', value: milliseconds, atMost: 80 },
  { row: /^list a folder of 1,000$/, text: '≤ 20 ms', value: milliseconds, atMost: 20 },
  {
    row: /^rename a directory of 10,000$/,
    text: '≤ 0.2 s',
    value: wallS,
    atMost: 0.2,
  },
  { row: /^put -r 10,000 files of 4 KiB$/, text: '≤ 35 s', value: wallS, atMost: 35 },
  { row: /^put -r 10,000 .* unchanged$/, text: '≤ 2 s', value: wallS, atMost: 2 },
  { row: /^get -r 1,000 /, text: '≤ 2 s', value: wallS, atMost: 2 },
  { row: /^check -r 10?,000 /, text: '≥ 1,000 files/s', value: rate, atLeast: 1000 },
  { row: /^check -r --verify 10?,000 /, text: '≥ 200 files/s', value: rate, atLeast: 200 },
  { row: /^create 400/, text: '≥ 200/s', value: rate, atLeast: 200 },
  { row: /^repair 100 MiB/, text: '≤ 2.5 s', value: wallS, atMost: 2.5 },
  { row: / 100 MiB, node frozen/, text: 'extra ≤ 3 s', value: ({ extraS }) => extraS, atMost: 3 },
]

export function judge(row: Omit<Row, 'targets'>): Row {
  const verdicts = TARGETS.filter((target) => target.row.test(row.name)).flatMap((target) => {
    const value = target.value(row)
    return value === undefined ? [] : [verdictOf(target, value)]
  })
  return { ...row, targets: verdicts }
}

/** On one core, of content, for the code that a grid of ten households uses. */
const ERASURE_TARGETS: readonly ErasureTarget[] = [
  { engine: 'native', work: 'encodeMBps', verb: 'encodes', atLeast: 1000 },
  { engine: 'native', work: 'decodeMBps', verb: 'decodes', atLeast: 1500 },
  { engine: 'portable', work: 'encodeMBps', verb: 'encodes', atLeast: 300 },
  { engine: 'portable', work: 'decodeMBps', verb: 'decodes', atLeast: 300 },
]

interface ErasureTarget {
  readonly engine: ErasureBenchRow['engine']
  readonly work: 'encodeMBps' | 'decodeMBps'
  readonly verb: string
  readonly atLeast: number
}

/** Full blocks only: small ones are not where the time goes. */
export function judgeErasure(rows: readonly ErasureBenchRow[]): Verdict[] {
  return ERASURE_TARGETS.flatMap(({ engine, work, verb, atLeast }) => {
    const row = rows.find(
      (one) => one.engine === engine && one.code === '3-of-10' && one.contentBytes > 2 ** 20,
    )
    if (row === undefined) return []
    const target = `${engine} 3-of-10 ${verb} ≥ ${atLeast.toLocaleString('en-US')} MB/s`
    return [{ target, value: row[work], isMet: row[work] >= atLeast }]
  })
}

function verdictOf(
  { text, atMost = Infinity, atLeast = -Infinity }: Target,
  value: number,
): Verdict {
  return { target: text, value, isMet: value <= atMost && value >= atLeast }
}

function rate(row: Omit<Row, 'targets'>): number | undefined {
  return row.rate?.value
}

function wallS(row: Omit<Row, 'targets'>): number {
  return row.wallS
}

function milliseconds({ wallS }: Omit<Row, 'targets'>): number {
  return wallS * 1000
}

function clientMegabytes({ clientPeakBytes }: Omit<Row, 'targets'>): number | undefined {
  return clientPeakBytes === undefined ? undefined : clientPeakBytes / 1e6
}
