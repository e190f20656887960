/** Lines of cells, each column as wide as its widest cell; a last one to the left is left as it is. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  sides: readonly ('left' | 'right')[],
): string[] {
  const widths = sides.map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), 0),
  )
  return rows.map((row) =>
    (row.at(-1) === '' ? row.slice(0, -1) : row)
      .map((cell, column) => {
        if (column === sides.length - 1 && sides[column] === 'left') return cell
        const width = widths[column] ?? 0
        return sides[column] === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  '),
  )
}
