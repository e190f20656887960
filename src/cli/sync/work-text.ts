import type { SyncReport } from '../../gateway/daemon/sync-report.ts'
import type { SyncWork } from '../../gateway/sync/work.ts'
import { formatDuration } from '../progress.ts'
import { count, formatBytes, printableName } from '../terminal.ts'

/** Before that, an estimate jumps about. */
const ESTIMATE_AFTER_MS = 2_000

/** `sending: 12 of 40 files, 1.2 GiB of 3.4 GiB, 0:40 left` */
export function workText({
  kind,
  doneFiles,
  files,
  doneBytes,
  bytes,
  elapsedMs,
}: SyncWork): string {
  if (files === null || bytes === null) {
    if (doneBytes === 0) return 'syncing'
    return `reading what has changed: ${count(doneFiles, 'file')}, ${formatBytes(doneBytes)}`
  }
  if (files === 0) return 'syncing'
  const done = `${kind}: ${doneFiles} of ${count(files, 'file')}, ${formatBytes(doneBytes)} of ${formatBytes(bytes)}`
  const canEstimate = elapsedMs >= ESTIMATE_AFTER_MS && doneBytes > 0 && doneBytes < bytes
  if (!canEstimate) return done
  return `${done}, ${formatDuration((elapsedMs * (bytes - doneBytes)) / doneBytes)} left`
}

/** Of several syncs the first that does something or cannot, for a reason; undefined where none does. */
export function workLine(
  syncs: readonly SyncReport[],
): { readonly label: string; readonly text: string } | undefined {
  for (const { directory, state, message, work } of syncs) {
    const label = printableName(directory)
    if (state === 'failed') return { label, text: message }
    if (work !== null) return { label, text: workText(work) }
  }
  return undefined
}
