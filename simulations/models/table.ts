import type { Chart } from './chart.ts'

/** A table of a page of results, in Markdown as Prettier would have it. */
export interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export function formatTable({ head, rows }: Table): string {
  const widths = head.map((cell, at) =>
    Math.max(3, ...[cell, ...rows.map((row) => row[at] ?? '')].map((text) => text.length)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - cell.length)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** What a model has to show. */
export interface Findings {
  /** By file name without its ending. */
  readonly charts: ReadonlyMap<string, Chart>
  readonly tables: readonly Table[]
}
