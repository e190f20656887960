import { existsSync } from 'node:fs'
import { systemClock } from '../../foundation/system.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readOwnGrid } from '../../home/own-grid.ts'
import { readRunning } from '../../home/running-file.ts'
import { accountLabels, accountNames } from '../node/account-names.ts'
import { localOnlyAdvice } from '../node/local-only.ts'
import { askNode } from '../node/operator-client.ts'
import { describeReport, reportLines, type NodeReport } from '../node/report.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import { logToFile, logToStandardError } from '../node-log.ts'
import { runNode } from '../run-node.ts'

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

/**
 * Whether this home's storage node runs, and what it says of itself; status 1 if it does not run. JSON has null for
 * what only a running node knows.
 */
export async function nodeStatus({
  files,
  terminal,
  signal,
}: NodeCommandContext): Promise<ExitCode> {
  const running = await readRunning(files.running)
  const status =
    running === undefined
      ? undefined
      : ((await askNode(running, { op: 'status' }, { signal })) as NodeReport)
  const membership = (await readOwnGrid(files, systemClock))?.membership
  if (terminal.json) {
    terminal.value({
      home: files.home,
      running: running !== undefined,
      pid: running?.pid ?? null,
      peerId: running?.peerId ?? null,
      addresses: running?.addresses ?? [],
      status: status === undefined ? null : describeReport(status, accountNames(membership)),
    })
  } else if (running === undefined || status === undefined) {
    terminal.line(`No node is running in ${files.home}.`)
  } else {
    terminal.line(`The node in ${files.home} is running: pid ${running.pid}.`)
    for (const address of running.addresses) terminal.line(`  ${address}`)
    for (const line of reportLines(status, accountLabels(membership), systemClock.nowMs()))
      terminal.line(line)
    const advice = localOnlyAdvice({ listen: running.addresses })
    if (advice !== undefined && existsSync(files.nodeKey)) terminal.note(`\n${advice}`)
  }
  return running === undefined ? EXIT.degraded : EXIT.ok
}
