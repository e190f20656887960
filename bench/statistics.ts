/** The middle one by `key`; of an even number, the lower of the two in the middle. */
export function medianBy<T>(items: readonly T[], key: (item: T) => number): T {
  const sorted = [...items].sort((a, b) => key(a) - key(b))
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined) throw new Error('there is no median of nothing')
  return middle
}

export function median(numbers: readonly number[]): number {
  return medianBy(numbers, (number) => number)
}
