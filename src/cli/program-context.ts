import { Option, type Command } from 'commander'
import { currentHome, type HomeFiles } from '../home/layout.ts'
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

export const PLACE_HELP =
  'a path in a folder: ALIAS:path, CAP/path or CAP; - reads it from standard input, @FILE from a file'

export function jsonOption(): Option {
  return new Option('--json', 'print the result as JSON')
}

/** What commands that ask nodes work with. */
export function commandContext(
  options: { readonly json?: true },
  { signal }: Pick<ProgramContext, 'signal'>,
): { files: HomeFiles; terminal: Terminal; signal: AbortSignal } {
  return { files: currentHome(), terminal: terminalFor(options), signal }
}

export function terminalFor(options: { readonly json?: true }): Terminal {
  return openTerminal({ json: options.json === true })
}
