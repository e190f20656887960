import type { HomeFiles } from '../../home/layout.ts'
import { readRunning, type RunningFile } from '../../home/running-file.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { Terminal } from '../terminal.ts'

export interface NodeCommandContext {
  readonly files: HomeFiles
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** @throws CliError unless the node of this home runs */
export async function requireRunning({ home, running }: HomeFiles): Promise<RunningFile> {
  const found = await readRunning(running)
  if (found !== undefined) return found
  throw new CliError({
    exit: EXIT.config,
    code: 'node-not-running',
    message: `No node runs in ${home}. Start it with "hayloft start --detach", or alone with "hayloft node start", and try again.`,
  })
}
