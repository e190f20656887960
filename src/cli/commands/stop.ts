import { sleep } from '../../foundation/clock.ts'
import { withDeadline } from '../../network/deadline.ts'
import { systemClock } from '../../foundation/system.ts'
import { DaemonClient } from '../../gateway/api/client.ts'
import { holderOf } from '../../home/file-lock.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { isAlive, sendSignal } from '../../home/processes.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'

/** More than the daemon gives itself before it ends whatever hangs. */
const STOP_TIMEOUT_MS = 30_000
const KILL_TIMEOUT_MS = 5_000
const ASK_TIMEOUT_MS = 2_000
const POLL_INTERVAL_MS = 25

/** Ends the daemon of a home, and returns when it has ended. */
export async function stop({ files, terminal, signal }: CommandContext): Promise<ExitCode> {
  const daemon = await holderOf(files.daemonLock)
  if (daemon === undefined || !(await isAlive(daemon))) {
    if (terminal.json) terminal.value({ stopped: false, home: files.home })
    else terminal.line(`No daemon runs in ${files.home}.`)
    return EXIT.ok
  }
  const { pid } = daemon
  if (!(await askToEnd(files))) sendSignal(pid, 'SIGTERM')
  // One that was frozen would otherwise not hear of it.
  sendSignal(pid, 'SIGCONT')
  const isKilled = !(await hasEnded(daemon, STOP_TIMEOUT_MS, signal))
  if (isKilled) {
    sendSignal(pid, 'SIGKILL')
    if (!(await hasEnded(daemon, KILL_TIMEOUT_MS, signal))) throw doesNotStop(pid)
  }
  if (terminal.json) terminal.value({ stopped: true, killed: isKilled, pid })
  else if (isKilled) {
    terminal.line(
      `The daemon, process ${pid}, did not end and was killed. Nothing that it had acknowledged is lost.`,
    )
  } else terminal.line(`The daemon, process ${pid}, has ended.`)
  return EXIT.ok
}

async function askToEnd(files: HomeFiles): Promise<boolean> {
  try {
    const daemon = await DaemonClient.find(files)
    if (daemon === undefined) return false
    await withDeadline(systemClock, ASK_TIMEOUT_MS, async (within) => {
      await daemon.ask('/v1/stop', { method: 'POST', signal: within })
    })
    return true
  } catch {
    return false
  }
}

async function hasEnded(
  daemon: { readonly pid: number; readonly birth: string },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  while (await isAlive(daemon)) {
    if (systemClock.monotonicMs() > deadlineMs) return false
    await sleep(systemClock, POLL_INTERVAL_MS, signal)
  }
  return true
}

function doesNotStop(pid: number): CliError {
  return new CliError({
    exit: EXIT.io,
    code: 'daemon-does-not-stop',
    message: `Process ${pid} does not end, not even when killed: it hangs in the system, on a disk perhaps.`,
  })
}
