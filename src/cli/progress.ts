import type { GenericFormatter, SingleBar } from 'cli-progress'
import type { Clock } from '../foundation/clock.ts'
import { systemClock } from '../foundation/system.ts'
import type { TransferProgress } from '../grid/context.ts'
import { formatBytes, type Terminal } from './terminal.ts'

/** How far a transfer has come, drawn for whoever watches. */
export interface Progress {
  /** Bytes done in all, and the total if it is known by now. */
  update(done: { readonly bytes: number; readonly totalBytes?: number | undefined }): void
  /** Removes what was drawn. */
  stop(): void
}

const SILENT: Progress & StatusLine = {
  update: () => undefined,
  show: () => undefined,
  stop: () => undefined,
}

/** Shorter transfers are over before anyone has read a bar. */
const SHOWN_AFTER_MS = 300

export interface ProgressOptions {
  /** What is being done, such as "Putting a.txt". */
  readonly label: string
  readonly clock: Clock
}

/** One line that changes, of text, for whoever watches. */
export interface StatusLine {
  /** Of what does not fit, the name goes first and then the end of the text. */
  show(line: { readonly label: string; readonly text: string }): void
  /** Removes what was drawn. */
  stop(): void
}

export async function openStatusLine(terminal: Pick<Terminal, 'isWatched'>): Promise<StatusLine> {
  if (!terminal.isWatched) return SILENT
  let shown: Parameters<StatusLine['show']>[0] | undefined
  const bar = await openBar(() => {
    const { label = '', text = '' } = shown ?? {}
    return beside(label, text, process.stderr.columns ?? DEFAULT_COLUMNS)
  })
  return {
    show(line) {
      if (shown === undefined) bar.start(1, 0)
      shown = line
      bar.update(0)
    },
    stop() {
      if (shown !== undefined) bar.stop()
    },
  }
}

export async function openProgress(
  terminal: Pick<Terminal, 'isWatched'>,
  options: ProgressOptions,
): Promise<Progress> {
  if (!terminal.isWatched) return SILENT
  const { label, clock } = options
  const startedMs = clock.monotonicMs()
  const bar = await openBar((_, { value, total }) => {
    const elapsedMs = clock.monotonicMs() - startedMs
    const columns = process.stderr.columns ?? DEFAULT_COLUMNS
    return drawLine({ label, bytes: value, totalBytes: total, elapsedMs, columns })
  })
  return shownProgress(bar, { clock, startedMs })
}

async function openBar(format: GenericFormatter): Promise<SingleBar> {
  const { default: cliProgress } = await import('cli-progress')
  return new cliProgress.SingleBar({
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    barsize: BAR_CHARACTERS,
    linewrap: false,
    gracefulExit: false,
    format,
  })
}

function shownProgress(
  bar: SingleBar,
  { clock, startedMs }: { clock: Clock; startedMs: number },
): Progress {
  let isShown = false
  return {
    update({ bytes, totalBytes = 0 }) {
      if (!isShown && clock.monotonicMs() - startedMs < SHOWN_AFTER_MS) return
      if (!isShown) bar.start(totalBytes, bytes)
      isShown = true
      bar.setTotal(totalBytes)
      bar.update(bytes)
    },
    stop() {
      if (isShown) bar.stop()
    },
  }
}

const BAR_CHARACTERS = 24
const DEFAULT_COLUMNS = 80
/** Narrower, the bar would leave no room for the name. */
const MIN_COLUMNS_FOR_BAR = 72
/** Below this, an estimate jumps about. */
const ESTIMATE_AFTER_MS = 1000

/** One line no wider than the terminal; without a total (standard input), there is neither bar nor remaining time. */
export function drawLine(state: {
  readonly label: string
  readonly bytes: number
  readonly totalBytes: number
  readonly elapsedMs: number
  readonly columns: number
}): string {
  const { bytes, totalBytes, elapsedMs, columns } = state
  const bytesPerMs = elapsedMs > 0 ? bytes / elapsedMs : 0
  const rate = `${formatBytes(bytesPerMs * 1000)}/s`
  const parts: string[] = []
  if (totalBytes > 0) {
    const fraction = Math.min(1, bytes / totalBytes)
    const full = Math.round(fraction * BAR_CHARACTERS)
    if (columns >= MIN_COLUMNS_FOR_BAR) {
      parts.push('█'.repeat(full) + '░'.repeat(BAR_CHARACTERS - full))
    }
    parts.push(`${Math.floor(fraction * 100)} %`.padStart(5), rate)
    if (elapsedMs >= ESTIMATE_AFTER_MS && bytesPerMs > 0) {
      parts.push(`${formatDuration((totalBytes - bytes) / bytesPerMs)} left`)
    }
  } else {
    parts.push(formatBytes(bytes), rate)
  }
  return beside(state.label, parts.join('  '), columns)
}

function beside(name: string, rest: string, columns: number): string {
  const room = columns - rest.length - 3
  const label = shorten(name, Math.max(0, room))
  return label === '' ? rest.slice(0, columns - 1) : `${label}  ${rest}`
}

/** At most `width` characters, the end kept, where names differ. */
function shorten(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text
  return width < 4 ? '' : `…${characters.slice(characters.length - width + 1).join('')}`
}

/** `75000` as `1:15`. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000))
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown
    .map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, '0')))
    .join(':')
}

/** Shows how far one transfer of the grid has come, until it ends or fails. */
export async function withProgress<T>(
  terminal: Terminal,
  label: string,
  transfer: (onProgress: (event: TransferProgress) => void) => Promise<T>,
): Promise<T> {
  const progress = await openProgress(terminal, { label, clock: systemClock })
  try {
    return await transfer(({ doneBytes, totalBytes }) => {
      progress.update({ bytes: doneBytes, totalBytes })
    })
  } finally {
    progress.stop()
  }
}
