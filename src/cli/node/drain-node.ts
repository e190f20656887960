import { systemClock } from '../../foundation/system.ts'
import { readNodeFile, writeNodeFile } from '../../home/node-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { DrainProgress, DrainReport } from '../../storage-node/drain/report.ts'
import { openProgress } from '../progress.ts'
import type { NodeCommandContext } from './require-node.ts'
import { requireRunning } from './require-node.ts'
import { askNode } from './operator-client.ts'
import { waitUntilApplied } from './settings.ts'

/**
 * Has the running node of a home give away all that it keeps, and waits for how that went. From then on it takes nothing
 * new, also after it was started anew, until {@link setDraining} says otherwise. When the signal fires, the node goes on
 * by itself.
 * @throws CliError unless the node runs
 */
export async function drainNode({
  files,
  terminal,
  signal,
}: NodeCommandContext): Promise<DrainReport> {
  await requireRunning(files)
  await setDraining(files, true, signal)
  const progress = await openProgress(terminal, {
    label: 'Moving what this node keeps',
    clock: systemClock,
  })
  try {
    const running = await requireRunning(files)
    const onEvent = (event: unknown): void => {
      const { moved, totalBytes } = event as DrainProgress
      progress.update({ bytes: moved.bytes, totalBytes })
    }
    return (await askNode(running, { op: 'drain' }, { signal, onEvent })) as DrainReport
  } finally {
    progress.stop()
  }
}

/** Whether a home's node gives away what it keeps; a running one goes by it when this resolves. */
export async function setDraining(
  files: HomeFiles,
  draining: boolean,
  signal: AbortSignal,
): Promise<void> {
  const node = await readNodeFile(files.node)
  if (node === undefined || (node.draining === true) === draining) return
  await writeNodeFile(files.node, { ...node, draining })
  await waitUntilApplied(files, signal)
}
