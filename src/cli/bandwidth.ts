import type { RateLimits } from '../home/bandwidth-schedule.ts'
import { rateArgument } from './sizes.ts'

/**
 * @param change - rates as they were typed
 * @returns the same limits where nothing is changed
 * @throws CliError
 */
export function changedLimits(
  before: RateLimits,
  {
    upload,
    download,
  }: { readonly upload: string | undefined; readonly download: string | undefined },
): RateLimits {
  if (upload === undefined && download === undefined) return before
  return {
    ...before,
    ...(upload !== undefined && { uploadBytesPerS: rateArgument(upload, '--upload') }),
    ...(download !== undefined && {
      downloadBytesPerS: rateArgument(download, '--download'),
    }),
  }
}

/** As rates are typed, by thousands. */
export function formatRate(bytesPerS: number | undefined): string {
  if (bytesPerS === undefined) return 'no limit'
  const [unit, unitBytes] = bytesPerS < 1e6 ? (['KB', 1e3] as const) : (['MB', 1e6] as const)
  return `${Math.round((bytesPerS / unitBytes) * 100) / 100} ${unit}/s`
}
