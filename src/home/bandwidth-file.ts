import {
  MAX_TIMES,
  NO_LIMITS,
  parseWeekTime,
  weekTimeText,
  type BandwidthSchedule,
  type RateLimits,
  type TimedLimits,
} from './bandwidth-schedule.ts'
import { damaged, readJsonFile, writeJsonFile, type Fields } from './json-file.ts'

const FORMAT = { format: 'hayloft-bandwidth', version: 1 }

/** `bandwidth.json`: how much a home sends and takes, and when. May be edited. No file is no limit. */
export async function readBandwidthFile(path: string): Promise<BandwidthSchedule> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return NO_LIMITS
  const times = fields.has('times') ? fields.objects('times') : []
  if (times.length > MAX_TIMES) throw damaged(path, `it has more than ${MAX_TIMES} times`)
  return { usual: limitsOf(fields), times: times.map(timedLimitsOf) }
}

function timedLimitsOf(fields: Fields): TimedLimits {
  const time = parseWeekTime(fields.text('when'))
  if (time !== undefined) return { ...time, ...limitsOf(fields) }
  throw damaged(fields.path, '"when" is not a time such as "mon-fri 08:00-18:00"')
}

function limitsOf(fields: Fields): RateLimits {
  const rate = (name: keyof RateLimits): number | undefined => {
    if (!fields.has(name)) return undefined
    const bytesPerS = fields.whole(name)
    if (bytesPerS === 0) throw damaged(fields.path, `"${name}" is 0, which would stop everything`)
    return bytesPerS
  }
  return {
    uploadBytesPerS: rate('uploadBytesPerS'),
    downloadBytesPerS: rate('downloadBytesPerS'),
  }
}

export async function writeBandwidthFile(
  path: string,
  { usual, times }: BandwidthSchedule,
): Promise<void> {
  await writeJsonFile(path, FORMAT, {
    ...usual,
    times: times.map((time) => ({
      when: weekTimeText(time),
      uploadBytesPerS: time.uploadBytesPerS,
      downloadBytesPerS: time.downloadBytesPerS,
    })),
  })
}
