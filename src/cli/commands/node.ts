import { systemClock } from '../../foundation/system.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readRunning } from '../../home/running-file.ts'
import { logToFile, logToStandardError } from '../node-log.ts'
import { runNode } from '../run-node.ts'
import type { Terminal } from '../terminal.ts'

/** Runs this home's storage node until it is told to end. */
export async function nodeStart(
  request: { readonly log?: string | undefined },
  { files, signal }: { readonly files: HomeFiles; readonly signal: AbortSignal },
): Promise<ExitCode> {
  const log =
    request.log === undefined
      ? logToStandardError(systemClock)
      : logToFile(request.log, systemClock)
  await runNode(files, { log, signal })
  return EXIT.ok
}

/** Whether this home's storage node runs; status 1 if it does not. */
export async function nodeStatus({
  files,
  terminal,
}: {
  readonly files: HomeFiles
  readonly terminal: Terminal
}): Promise<ExitCode> {
  const running = await readRunning(files.running)
  if (terminal.json) {
    terminal.value({
      home: files.home,
      running: running !== undefined,
      pid: running?.pid ?? null,
      peerId: running?.peerId ?? null,
      addresses: running?.addresses ?? [],
    })
  } else if (running === undefined) {
    terminal.line(`No node is running in ${files.home}.`)
  } else {
    terminal.line(`The node in ${files.home} is running: pid ${running.pid}.`)
    for (const address of running.addresses) terminal.line(`  ${address}`)
  }
  return running === undefined ? EXIT.degraded : EXIT.ok
}
