import { systemClock } from '../../foundation/system.ts'
import { logToAll, logToFiles, type DaemonLog } from '../../gateway/daemon/log.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { placeOfSecrets } from '../../home/key-store.ts'
import { noAccount } from '../../home/opened-home.ts'
import { detachDaemon } from '../daemon/detach.ts'
import { runDaemon } from '../daemon/run-daemon.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { logToStandardError } from '../node-log.ts'
import { openOwnHome } from '../own-home.ts'

export interface StartRequest {
  readonly detach: boolean
  readonly withNode: boolean
  readonly port: number
  /** Say nothing but why it could not start: what {@link detachDaemon} starts. */
  readonly isQuiet: boolean
}

/** Whatever hangs when the daemon is to end; what is acknowledged is on disk. */
const MAX_STOP_MS = 20_000

/** Runs the daemon of a home until Ctrl-C, SIGTERM or "hayloft stop"; or has it run in the background. */
export async function start(request: StartRequest, context: CommandContext): Promise<ExitCode> {
  const { files, signal, terminal } = context
  // Nothing is made in a home that is none.
  if ((await placeOfSecrets(files)) === 'nowhere') throw noAccount(files)
  if (request.detach) return await detachDaemon(request, context)
  await makePrivateDirectory(files.logs)
  const toFiles = logToFiles(files.logs, { clock: systemClock })
  const log = request.isQuiet ? toFiles : logToAll([toFiles, logToStandardError(systemClock)])
  signal.addEventListener('abort', () => forceEnd(log), { once: true })
  await runDaemon({
    home: openOwnHome(files),
    log,
    withNode: request.withNode,
    port: request.port,
    signal,
    onReady: () => {
      if (!request.isQuiet) terminal.note('The daemon runs. Ctrl-C ends it.')
    },
    onStop: () => forceEnd(log),
  })
  return EXIT.ok
}

function forceEnd(log: DaemonLog): void {
  systemClock.after(MAX_STOP_MS, () => {
    log.write('stop-forced', `something did not end in ${MAX_STOP_MS / 1000} s`)
    process.exit(EXIT.ok)
  })
}
