import { formatTable, type Table } from './table.ts'

/** A page of results with its tables put in: each goes under a comment that gives its title, in place of what stood there. */
export function withTables(page: string, tables: readonly Table[]): string {
  let text = page
  for (const table of tables) {
    const sign = `<!-- ${table.title} -->`
    const start = text.indexOf(sign)
    if (start === -1) continue
    const after = text.slice(start + sign.length)
    const rest = after.replace(/^\s*(\|[^\n]*\n)*\s*/, '')
    text = `${text.slice(0, start)}${sign}\n\n${formatTable(table)}\n\n${rest}`
  }
  return text
}
