import type { CollectResult, ScrubResult } from '../../storage-node/upkeep.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import { requireRunning } from '../node/require-node.ts'
import { askNode } from '../node/operator-client.ts'
import { count, formatBytes } from '../terminal.ts'

/** Has the running node check all that it keeps. Status 1 if some of it is lost. */
export async function nodeScrub({
  files,
  terminal,
  signal,
}: NodeCommandContext): Promise<ExitCode> {
  const running = await requireRunning(files)
  const result = (await askNode(running, { op: 'scrub' }, { signal })) as ScrubResult
  const { shares, records, lost } = result
  if (terminal.json) terminal.value(result)
  else {
    const checked = `${count(shares, 'share')} and ${count(records, 'record')}`
    terminal.line(
      lost === 0
        ? `Checked ${checked}: all are whole.`
        : `Checked ${checked}: ${lost} were gone or rotten and are struck off. The grid's repair makes them anew.`,
    )
  }
  return lost === 0 ? EXIT.ok : EXIT.degraded
}

/** Has the running node free what nobody leases. */
export async function nodeCollect({
  files,
  terminal,
  signal,
}: NodeCommandContext): Promise<ExitCode> {
  const running = await requireRunning(files)
  const result = (await askNode(running, { op: 'collect' }, { signal })) as CollectResult
  const { shares, records, bytes } = result
  if (terminal.json) terminal.value(result)
  else {
    terminal.line(
      shares + records === 0
        ? 'All that is kept is leased; nothing was freed.'
        : `Freed ${formatBytes(bytes)}: ${count(shares, 'share')} and ${count(records, 'record')} that nobody leased.`,
    )
  }
  return EXIT.ok
}
