/** Sizes of grids that the page tells of. */
export const SIZES = [10, 30, 100, 300, 1000, 3000, 10_000, 100_000, 1e6] as const

export function countText(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** `8.4 kB`, `1.2 GB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3 + 1e-9))
  return `${Number((bytes / 1000 ** power).toPrecision(2))} ${units[power]}`
}

/** `0.05 ms`, `12 s`, `1.4 hours`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Number(ms.toPrecision(2))} ms`
  if (ms < 120_000) return `${Number((ms / 1000).toPrecision(2))} s`
  if (ms < 7_200_000) return `${Number((ms / 60_000).toPrecision(2))} min`
  return `${Number((ms / 3_600_000).toPrecision(2))} hours`
}
