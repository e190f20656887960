import { systemClock } from '../../foundation/system.ts'
import { DaemonClient } from '../../gateway/api/client.ts'
import type { DaemonStatus } from '../../gateway/api/routes/daemon.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { formatDuration } from '../progress.ts'
import { count, printableName } from '../terminal.ts'

/** Whether the daemon of a home runs, and what it says of itself; status 1 if it does not run. */
export async function status({ files, terminal, signal }: CommandContext): Promise<ExitCode> {
  const daemon = await DaemonClient.find(files)
  if (daemon === undefined) {
    if (terminal.json) terminal.value({ running: false, home: files.home })
    else terminal.line(`No daemon runs in ${files.home}. "hayloft start --detach" starts it.`)
    return EXIT.degraded
  }
  const told = (await daemon.ask('/v1/status', { signal })) as DaemonStatus
  if (terminal.json) terminal.value({ running: true, ...told })
  else for (const line of linesOf(told)) terminal.line(line)
  return EXIT.ok
}

function linesOf({
  home,
  pid,
  started,
  grid,
  connected,
  node,
  caring,
  syncs,
}: DaemonStatus): string[] {
  const upMs = systemClock.nowMs() - Date.parse(started)
  return [
    `The daemon of ${home} has been running for ${formatDuration(upMs)}, as process ${pid}.`,
    `grid      ${printableName(grid)}, connected to ${count(connected, 'member')}`,
    node === null
      ? 'node      none'
      : `node      at ${node.addresses.join(', ') || 'no address yet'}; more by "hayloft node status"`,
    `care      ${caring ? 'looks after what this home keeps on the grid' : 'off'}`,
    syncs.length === 0
      ? 'synced    nothing; begin with "hayloft sync add DIRECTORY"'
      : `synced    ${count(syncs.length, 'directory', 'directories')}; more by "hayloft sync status"`,
    ...syncs.map(({ directory, state, message }) => {
      const why = message === '' ? '' : `: ${message}`
      return `          ${printableName(directory)} ${state}${why}`
    }),
  ]
}
