import { systemClock } from '../../foundation/system.ts'
import { readBandwidthFile, writeBandwidthFile } from '../../home/bandwidth-file.ts'
import {
  limitsAt,
  MAX_TIMES,
  NO_LIMITS,
  parseWeekTime,
  weekTimeText,
  withoutTime,
  withTime,
  type BandwidthSchedule,
  type RateLimits,
  type WeekTime,
} from '../../home/bandwidth-schedule.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { changedLimits, formatRate } from '../bandwidth.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import type { Terminal } from '../terminal.ts'

export interface BandwidthRequest {
  readonly upload?: string
  readonly download?: string
  /** A time of the week. */
  readonly when?: string
  readonly clear?: true
}

/** Shows or changes `bandwidth.json`, which whatever runs in the home follows. */
export async function bandwidth(
  request: BandwidthRequest,
  { files, terminal }: Pick<CommandContext, 'files' | 'terminal'>,
): Promise<ExitCode> {
  const before = await readBandwidthFile(files.bandwidth)
  const schedule = changed(before, request)
  if (schedule !== before) {
    await makePrivateDirectory(files.home)
    await writeBandwidthFile(files.bandwidth, schedule)
  }
  const now = limitsAt(schedule, new Date(systemClock.nowMs()))
  if (terminal.json) terminal.value(described(schedule, now))
  else show(terminal, schedule, now)
  return EXIT.ok
}

/** @throws CliError if the change is none */
function changed(before: BandwidthSchedule, request: BandwidthRequest): BandwidthSchedule {
  const { upload, download, when, clear } = request
  const isLimit = upload !== undefined || download !== undefined
  if (clear === true) {
    if (isLimit)
      throw usageError('The option --clear takes limits away, and goes with no new ones.')
    return when === undefined ? NO_LIMITS : withoutKnownTime(before, when)
  }
  if (when === undefined) {
    const usual = changedLimits(before.usual, { upload, download })
    return usual === before.usual ? before : { ...before, usual }
  }
  if (!isLimit) {
    throw usageError(
      'The option --when needs a limit for that time: --upload, --download, or --clear to take it away.',
    )
  }
  const time = timeArgument(when)
  const known = before.times.find((each) => weekTimeText(each) === weekTimeText(time))
  // In a direction that nothing is said of, the usual limit goes on.
  const limits = changedLimits(known ?? before.usual, { upload, download })
  const schedule = withTime(before, { ...limits, ...time })
  if (schedule.times.length > MAX_TIMES) {
    throw usageError(`There are ${MAX_TIMES} times already. Take one away with --clear.`)
  }
  return schedule
}

function withoutKnownTime(before: BandwidthSchedule, when: string): BandwidthSchedule {
  const time = timeArgument(when)
  const schedule = withoutTime(before, time)
  if (schedule.times.length < before.times.length) return schedule
  throw usageError(
    `Nothing is set for ${weekTimeText(time)}. "hayloft bandwidth" lists the times that have limits of their own.`,
  )
}

function timeArgument(text: string): WeekTime {
  const time = parseWeekTime(text)
  if (time !== undefined) return time
  throw usageError(
    'The option --when takes a time of the week, such as "mon-fri 08:00-18:00", "sat,sun 10:00-22:00" or ' +
      '"22:00-06:00" (every day, to the next morning).',
  )
}

function described({ usual, times }: BandwidthSchedule, now: RateLimits): object {
  return {
    now: limits(now),
    usual: limits(usual),
    times: times.map((time) => ({ when: weekTimeText(time), ...limits(time) })),
  }
}

function limits({ uploadBytesPerS, downloadBytesPerS }: RateLimits): object {
  return {
    uploadBytesPerS: uploadBytesPerS ?? null,
    downloadBytesPerS: downloadBytesPerS ?? null,
  }
}

function show(terminal: Terminal, { usual, times }: BandwidthSchedule, now: RateLimits): void {
  const rows: [string, RateLimits][] = [
    ['now', now],
    ['usually', usual],
    ...times.map((time): [string, RateLimits] => [weekTimeText(time), time]),
  ]
  const shown = times.length === 0 ? rows.slice(1) : rows
  const width = Math.max(...shown.map(([name]) => name.length))
  for (const [name, { uploadBytesPerS, downloadBytesPerS }] of shown) {
    const up = formatRate(uploadBytesPerS)
    terminal.line(`${name.padEnd(width)}  up ${up}, down ${formatRate(downloadBytesPerS)}`)
  }
}
