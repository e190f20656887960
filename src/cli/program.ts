import { Command, Option, type CommanderError } from 'commander'
import { addAccountCommands } from './account-commands.ts'
import { rangeArgument, sharesArgument } from './arguments.ts'
import type { Power } from './commands/capability.ts'
import type { Verification } from './commands/check.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { CliError, usageError } from './failures.ts'
import { currentHome } from '../home/layout.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { namePassphraseFile } from './passphrase-file.ts'
import { CAPABILITY_HELP, jsonOption, terminalFor, type ProgramContext } from './program-context.ts'
import { VERSION } from './version.ts'

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
    .option('--passphrase-file <file>', 'a file that holds the passphrase of this home')
    .hook('preAction', (_, command) => {
      namePassphraseFile(command.optsWithGlobals<{ passphraseFile?: string }>().passphraseFile)
    })
    .addHelpText('after', FURTHER_HELP)
  const context: ProgramContext = { program, signal, ended }
  addPut(context)
  addGet(context)
  addCheck(context)
  addRepair(context)
  addCapability(context)
  addAccountCommands(context)
  addNode(context)
  addPractice(context)
  return program
}

const FURTHER_HELP = `
CAP is a capability: the word that "put" prints. Whoever has it can read the file, so keep it as you would a key.
It may be given as - (standard input) or @FILE, which keeps it out of the list of processes.

State is kept in $HAYLOFT_HOME, or else in ~/.hayloft. Begin with:  hayloft practice start`

function addPut({ program, signal, ended }: ProgramContext): void {
  program
    .command('put')
    .description('store files and print the capability of each')
    .argument('<file...>', 'files to store; - is standard input')
    .option(
      '--shares <k/n>',
      'n shares of which any k bring the file back (default: what suits the grid)',
    )
    .option(
      '--random-key',
      'a key by chance: equal files are not stored once, and nobody can test guesses',
    )
    .addOption(jsonOption())
    .action(
      async (files: string[], options: { shares?: string; randomKey?: true; json?: true }) => {
        const code = options.shares === undefined ? undefined : sharesArgument(options.shares)
        const { put } = await import('./commands/put.ts')
        const request = { files, code, randomKey: options.randomKey === true }
        ended(await put(request, { files: currentHome(), terminal: terminalFor(options), signal }))
      },
    )
}

function addGet({ program, signal, ended }: ProgramContext): void {
  program
    .command('get')
    .description('bring a file back')
    .argument('<CAP>', CAPABILITY_HELP)
    .option(
      '-o, --output <file>',
      'write to this file, whole or not at all (default: standard output)',
    )
    .option('--range <offset:length>', 'only these bytes')
    .addOption(jsonOption())
    .action(
      async (capability: string, options: { output?: string; range?: string; json?: true }) => {
        const range = options.range === undefined ? undefined : rangeArgument(options.range)
        const { get } = await import('./commands/get.ts')
        const request = { capability, output: options.output, range }
        ended(await get(request, { files: currentHome(), terminal: terminalFor(options), signal }))
      },
    )
}

function addCheck({ program, signal, ended }: ProgramContext): void {
  program
    .command('check')
    .description('find out where a file or folder is, and whether it is whole')
    .argument('[CAP]', CAPABILITY_HELP)
    .option(
      '--verify [how]',
      'look at the shares themselves: "full" reads every byte (default), "audit" samples',
    )
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 healthy, 1 degraded or not certain, 2 lost.')
    .action(async (given: string | undefined, options: { verify?: string | true; json?: true }) => {
      const { capability, verify } = checkRequest(given, options.verify)
      const { check } = await import('./commands/check.ts')
      const context = { files: currentHome(), terminal: terminalFor(options), signal }
      ended(await check({ capability, verify }, context))
    })
}

/** `check --verify CAP` reads as if CAP were how to verify; nobody who writes it means that. */
function checkRequest(
  given: string | undefined,
  verify: string | true | undefined,
): { capability: string; verify: Verification } {
  const isHow = verify === 'full' || verify === 'audit'
  if (given !== undefined && typeof verify === 'string' && !isHow) {
    throw usageError('The option --verify takes "full" or "audit", or nothing for "full".')
  }
  const capability = given ?? (typeof verify === 'string' && !isHow ? verify : undefined)
  if (capability === undefined)
    throw usageError('Which file? Name its capability: hayloft check CAP')
  if (verify === undefined) return { capability, verify: 'none' }
  return { capability, verify: verify === 'audit' ? 'audit' : 'full' }
}

function addRepair({ program, signal, ended }: ProgramContext): void {
  program
    .command('repair')
    .description('make what is missing of a file or folder anew; a verify capability suffices')
    .argument('<CAP>', CAPABILITY_HELP)
    .addOption(
      new Option('--verify <how>', 'look at the shares that are left: by samples, or every byte')
        .choices(['audit', 'full'] as const)
        .default('audit' as const),
    )
    .addOption(jsonOption())
    .action(async (capability: string, options: { verify: 'audit' | 'full'; json?: true }) => {
      const { repair } = await import('./commands/repair.ts')
      const context = { files: currentHome(), terminal: terminalFor(options), signal }
      ended(await repair({ capability, verify: options.verify }, context))
    })
}

function addCapability({ program, ended }: ProgramContext): void {
  program
    .command('capability')
    .description('explain a capability, or weaken it; asks no node')
    .argument('<CAP>', CAPABILITY_HELP)
    .addOption(new Option('--to <power>', 'print a weaker capability').choices(['read', 'verify']))
    .addOption(jsonOption())
    .action(async (given: string, options: { to?: Power; json?: true }) => {
      const { capability } = await import('./commands/capability.ts')
      const request = { capability: given, to: options.to }
      ended(await capability(request, { terminal: terminalFor(options) }))
    })
}

function addNode({ program, signal, ended }: ProgramContext): void {
  const node = program
    .command('node')
    .description('run the storage node of a home')
    .helpCommand(false)
  node
    .command('start')
    .description('run it until Ctrl-C or SIGTERM')
    .option(
      '--log <file>',
      'keep a log of bounded size there, instead of writing to standard error',
    )
    .addOption(jsonOption())
    .action(async (options: { log?: string; json?: true }) => {
      const { nodeStart } = await import('./commands/node.ts')
      ended(await nodeStart({ log: options.log }, { files: currentHome(), signal }))
    })
  node
    .command('status')
    .description('whether it runs, and where it listens')
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => {
      const { nodeStatus } = await import('./commands/node.ts')
      ended(await nodeStatus({ files: currentHome(), terminal: terminalFor(options) }))
    })
}

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
