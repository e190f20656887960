import { Option, type Command } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** What every command is added with. */
export interface ProgramContext {
  readonly program: Command
  readonly signal: AbortSignal
  /** Told the status that a command ends with. */
  readonly ended: (status: ExitCode) => void
}

export const CAPABILITY_HELP = 'the capability; - reads it from standard input, @FILE from a file'

export function jsonOption(): Option {
  return new Option('--json', 'print the result as JSON')
}

export function terminalFor(options: { readonly json?: true }): Terminal {
  return openTerminal({ json: options.json === true })
}
