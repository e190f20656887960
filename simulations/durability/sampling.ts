/** The mean of independent runs, and half of its 95 % interval. */
export function meanOf(samples: readonly number[]): { mean: number; spread: number } {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length
  const squares = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0)
  return { mean, spread: 1.96 * Math.sqrt(squares / samples.length / (samples.length - 1)) }
}
