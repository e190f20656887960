/**
 * Seconds as a float, as `utimes` takes them, that the system will not take for the millisecond before: it cuts them to
 * micro- or nanoseconds, and most thousandths are no binary fractions. So half a microsecond is added.
 */
export function fileTimeSeconds(timeMs: number): number {
  return (timeMs + 0.0005) / 1000
}
