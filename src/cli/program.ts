import { Command, type CommanderError } from 'commander'
import { addAccountCommands } from './account-commands.ts'
import { addCareCommands } from './care-commands.ts'
import { addChangeCommands } from './change-commands.ts'
import { addDaemonCommands } from './daemon-commands.ts'
import { addGridCommands } from './grid-commands.ts'
import { addFolderCommands } from './folder-commands.ts'
import { addHealthCommands } from './health-commands.ts'
import { addGridStatus, addNodeCommands } from './node-commands.ts'
import { addSyncCommands } from './sync-commands.ts'
import { addTransferCommands } from './transfer-commands.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { CliError } from './failures.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { namePassphraseFile } from './passphrase-file.ts'
import { jsonOption, terminalFor, type ProgramContext } from './program-context.ts'
import { VERSION } from './package-files.ts'

/**
 * The commands and their options. What carries a command out is loaded only when it runs, so that help and mistyped
 * commands appear at once.
 * @param ended - told the status that a command ends with
 */
export function buildProgram(signal: AbortSignal, ended: (status: ExitCode) => void): Command {
  const program = new Command('hayloft')
    .description('Keeps files, encrypted and in pieces, on the computers of people you know.')
    .version(VERSION)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .showSuggestionAfterError()
    .option(
      '--passphrase-file <file>',
      'a file that holds the passphrase of this home; - for standard input',
    )
    .hook('preAction', (_, command) => {
      namePassphraseFile(command.optsWithGlobals<{ passphraseFile?: string }>().passphraseFile)
    })
    .addHelpText('after', FURTHER_HELP)
  const context: ProgramContext = { program, signal, ended }
  addTransferCommands(context)
  addFolderCommands(context)
  addChangeCommands(context)
  addHealthCommands(context)
  addDaemonCommands(context)
  addSyncCommands(context)
  addCareCommands(context)
  addAccountCommands(context)
  addGridCommands(context)
  addNodeCommands(context)
  addPractice(context)
  addGridStatus(context)
  return program
}

const FURTHER_HELP = `
PLACE is a path in a folder: ALIAS:path, such as home:photos/2026 (home: is your own root folder), or CAP/path.
CAP is a capability: the word that "put FILE" prints. Whoever has it has its power, so keep it as you would a key.
Either may be given as - (standard input) or @FILE, which keeps it out of the list of processes.

State is kept in $HAYLOFT_HOME, or else in ~/.hayloft. Begin with:  hayloft practice start`

interface PracticeOptions {
  readonly dir?: string
  readonly nodes?: string
  readonly json?: true
}

function addPractice({ program, signal, ended }: ProgramContext): void {
  const system = { clock: systemClock, randomness: systemRandomness, signal }
  const practice = program
    .command('practice')
    .description('a whole grid on this machine, to try things out')
    .helpCommand(false)
  const dirHelp = 'where it lives (default: practice in the home)'
  practice
    .command('start')
    .description('start its nodes, the same ones with their shares if it was there before')
    .option('--nodes <count>', 'how many nodes a new grid gets (default: 10)')
    .option('--dir <dir>', dirHelp)
    .addOption(jsonOption())
    .action(async (options: PracticeOptions) => {
      const { practiceStart } = await import('./commands/practice.ts')
      ended(await practiceStart(options, { terminal: terminalFor(options), system }))
    })
  practice
    .command('status')
    .description('which of its nodes run')
    .option('--dir <dir>', dirHelp)
    .addOption(jsonOption())
    .action(async (options: PracticeOptions) => {
      const { practiceStatus } = await import('./commands/practice.ts')
      ended(await practiceStatus(options, { terminal: terminalFor(options), system }))
    })
  practice
    .command('stop')
    .description('stop its nodes; their shares stay on disk')
    .argument('[node...]', 'only these, such as node-03')
    .option('--dir <dir>', dirHelp)
    .addOption(jsonOption())
    .action(async (names: string[], options: PracticeOptions) => {
      const { practiceStop } = await import('./commands/practice.ts')
      const request = { dir: options.dir, names }
      ended(await practiceStop(request, { terminal: terminalFor(options), system }))
    })
}

/** @returns undefined where commander has said all there is to say: after --help and --version */
export function commanderFailure(thrown: CommanderError): CliError | undefined {
  if (thrown.exitCode === 0) return undefined
  // "error: unknown option '--x'" → "Unknown option '--x'. …". Commander quotes what it does not know, but never
  // arguments, so no capability gets into it.
  const said = thrown.message.replace(/^error: /, '').replaceAll('\n', ' ')
  const sentence = `${said[0]?.toUpperCase() ?? ''}${said.slice(1)}`.replace(/[.?)]?$/, (end) =>
    end === '' ? '.' : end,
  )
  return new CliError({
    exit: EXIT.usage,
    code: 'usage',
    message:
      thrown.code === 'commander.help' ? 'Name a command; "hayloft --help" lists them.' : sentence,
  })
}
