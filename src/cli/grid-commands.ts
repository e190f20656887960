import type { GridJoinRequest } from './commands/grid-join.ts'
import { addDeviceCommands, addMembershipCommands } from './membership-commands.ts'
import { commandContext, jsonOption, type ProgramContext } from './program-context.ts'

/** Commands about the grid that a home belongs to. */
export function addGridCommands(context: ProgramContext): void {
  const grid = context.program
    .command('grid')
    .description('who belongs to the grid, and how to join one')
    .helpCommand(false)
  addMembershipCommands(context, grid)
  addGridJoin(context, grid)
  addDeviceCommands(context)
}

type Command = ProgramContext['program']

function addGridJoin(context: ProgramContext, grid: Command): void {
  grid
    .command('join')
    .description('join the grid of friends with an invite, or add this computer with a device word')
    .argument('<INVITE>', 'the word that a friend gave you, as @FILE or - (standard input)')
    .option(
      '--as <name>',
      'what the others are to call you, where the invite does not say (default: your user name)',
    )
    .option('--offer <size>', 'keep files for your friends on this computer, up to so much')
    .option('--zone <name>', 'the household it stands in: nodes of one household are lost together')
    .option(
      '--listen <address...>',
      'where its storage node listens, such as /ip4/0.0.0.0/tcp/4001',
    )
    .option('--at <address...>', 'where a member can be reached, if those of the invite are away')
    .option('--passphrase', 'keep the secrets of a new home under a passphrase, which is asked for')
    .addOption(jsonOption())
    .action(async (word: string, { json, ...options }: JoinOptions) => {
      const { gridJoin } = await import('./commands/grid-join.ts')
      const given = json === undefined ? {} : { json }
      context.ended(await gridJoin({ word, ...options }, commandContext(given, context)))
    })
}

type JoinOptions = Omit<GridJoinRequest, 'word'> & { readonly json?: true }
