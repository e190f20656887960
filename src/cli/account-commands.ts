import type { Command } from 'commander'
import { currentHome, type HomeFiles } from '../home/layout.ts'
import {
  PLACE_HELP,
  commandContext,
  jsonOption,
  terminalFor,
  type ProgramContext,
} from './program-context.ts'
import type { WayBackRequest } from './grid/come-back.ts'
import type { Terminal } from './terminal.ts'

/** Commands about who one is and what one calls things. They ask no node, but for an alias of what is in a folder. */
export function addAccountCommands(context: ProgramContext): void {
  addInit(context)
  addRecover(context)
  addRecoveryKey(context)
  addPassphrase(context)
  addAlias(context)
}

interface AccountOptions {
  readonly passphrase?: true
  readonly json?: true
}

const PASSPHRASE_HELP = 'keep the secrets of this home under a passphrase, which is asked for'

function addInit({ program, signal, ended }: ProgramContext): void {
  program
    .command('init')
    .description('make an account, and show its recovery key once')
    .option('--passphrase', PASSPHRASE_HELP)
    .addOption(jsonOption())
    .action(async (options: AccountOptions) => {
      const { init } = await import('./commands/init.ts')
      const request = { passphrase: options.passphrase === true }
      ended(await init(request, commandContext(options, { signal })))
    })
}

function addRecover({ program, signal, ended }: ProgramContext): void {
  program
    .command('recover')
    .description('bring an account back from its recovery key, on a computer that has none')
    .argument('[file]', 'holds the recovery key, as words or in one word (default: standard input)')
    .option('--passphrase', PASSPHRASE_HELP)
    .option(
      '--invite <INVITE>',
      'come back to your grid by any invite to it, also a used one: @FILE',
    )
    .option('--grid <id>', 'the same by its id, with --at')
    .option('--at <address...>', 'where a member of it can be reached')
    .addOption(jsonOption())
    .action(async (file: string | undefined, options: AccountOptions & WayBackRequest) => {
      const { recover } = await import('./commands/recover.ts')
      const { invite, grid, at } = options
      const request = {
        file,
        passphrase: options.passphrase === true,
        ...(invite !== undefined && { invite }),
        ...(grid !== undefined && { grid }),
        ...(at !== undefined && { at }),
      }
      ended(await recover(request, commandContext(options, { signal })))
    })
}

function addRecoveryKey({ program, ended }: ProgramContext): void {
  program
    .command('recovery-key')
    .description('show the recovery key of this account: whoever sees it has all that you have')
    .addOption(jsonOption())
    .action(async (options: AccountOptions) => {
      const { recoveryKey } = await import('./commands/recovery-key.ts')
      ended(await recoveryKey(contextFor(options)))
    })
}

function addPassphrase({ program, ended }: ProgramContext): void {
  program
    .command('passphrase')
    .description('put the secrets of this home under a passphrase, or under another one')
    .option('--remove', 'under none from now on')
    .option('--new-passphrase-file <file>', 'a file that holds the new one')
    .addOption(jsonOption())
    .action(async (options: { remove?: true; newPassphraseFile?: string; json?: true }) => {
      const { passphrase } = await import('./commands/passphrase.ts')
      const request = { remove: options.remove === true, newFile: options.newPassphraseFile }
      ended(await passphrase(request, contextFor(options)))
    })
}

function addAlias(context: ProgramContext): void {
  const { program, ended } = context
  const alias = program
    .command('alias')
    .description('names for capabilities on this computer, as in NAME:path')
    .helpCommand(false)
  addAliasAdd(alias, context)
  alias
    .command('list')
    .description('the names, and what each is')
    .option('--show', 'the capabilities themselves')
    .addOption(jsonOption())
    .action(async (options: { show?: true; json?: true }) => {
      const { aliasList } = await import('./commands/alias.ts')
      ended(await aliasList({ show: options.show === true }, contextFor(options)))
    })
  alias
    .command('remove')
    .description('take a name away; what it stands for stays')
    .argument('<name>')
    .addOption(jsonOption())
    .action(async (name: string, options: { json?: true }) => {
      const { aliasRemove } = await import('./commands/alias.ts')
      ended(await aliasRemove({ name }, contextFor(options)))
    })
}

function addAliasAdd(alias: Command, context: ProgramContext): void {
  alias
    .command('add')
    .description('give a name to a capability, or to a folder or mutable file in a folder')
    .argument('<name>')
    .argument('<PLACE>', PLACE_HELP)
    .addOption(jsonOption())
    .action(async (name: string, place: string, options: { json?: true }) => {
      const { aliasAdd } = await import('./commands/alias.ts')
      context.ended(await aliasAdd({ name, place }, commandContext(options, context)))
    })
}

function contextFor(options: { readonly json?: true }): { files: HomeFiles; terminal: Terminal } {
  return { files: currentHome(), terminal: terminalFor(options) }
}
