import { Option } from 'commander'
import { commandContext, jsonOption, terminalFor, type ProgramContext } from './program-context.ts'
import { currentHome } from '../home/layout.ts'
import type { NodeConfigRequest } from './commands/node-config.ts'

/** Commands of who runs a storage node. */
export function addNodeCommands(context: ProgramContext): void {
  const node = context.program
    .command('node')
    .description('run the storage node of a home')
    .helpCommand(false)
  addStart(context, node)
  addStatus(context, node)
  addConfig(context, node)
  addUpkeep(context, node)
  addDrain(context, node)
  addParcels(context, node)
}

type Command = ProgramContext['program']

function addStart({ signal, ended }: ProgramContext, node: Command): void {
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
}

function addStatus({ signal, ended }: ProgramContext, node: Command): void {
  node
    .command('status')
    .description('whether it runs and where it listens; what it offers, who stores how much')
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => {
      const { nodeStatus } = await import('./commands/node.ts')
      ended(await nodeStatus({ files: currentHome(), terminal: terminalFor(options), signal }))
    })
}

const SIZES = 'Sizes have a unit: 500GB, 1.5TiB. Rates too: 2MB/s, 20Mbit/s, or none for no limit.'

function addConfig(context: ProgramContext, node: Command): void {
  node
    .command('config')
    .description('show how it is to run, or change that; a running node follows at once')
    .option('--offer <size>', 'what it offers to the grid')
    .option('--reserve <size>', 'what it always leaves free on its disk, for you')
    .option('--zone <name>', 'the household it stands in: nodes of one household are lost together')
    .option(
      '--quota <size>',
      'what each account may store on it, where the grid does not say ("none": what its own nodes offer)',
    )
    .option(
      '--upload-limit <rate>',
      'what it sends at most; "hayloft bandwidth" sets limits by time',
    )
    .option('--download-limit <rate>', 'what it takes at most')
    .option(
      '--listen <address...>',
      'where it listens, such as /ip4/0.0.0.0/tcp/4001; from its next start',
    )
    .option(
      '--announce <address...>',
      'where else others reach it: a name, or a port that the router forwards ("none": nowhere)',
    )
    .option('--reachable <choice>', 'whether others reach it from outside: auto, yes or no')
    .option('--port-mapping <choice>', 'whether to ask the router to forward the port: on or off')
    .addOption(
      new Option(
        '--maintain <on|off>',
        'whether it also looks after what the account of this home keeps (default: on)',
      ).choices(['on', 'off'] as const),
    )
    .addOption(jsonOption())
    .addHelpText('after', `\n${SIZES}`)
    .action(async ({ json, ...request }: NodeConfigRequest & { json?: true }) => {
      const { nodeConfig } = await import('./commands/node-config.ts')
      const given = json === undefined ? {} : { json }
      context.ended(await nodeConfig(request, commandContext(given, context)))
    })
}

function addUpkeep({ signal, ended }: ProgramContext, node: Command): void {
  node
    .command('scrub')
    .description('read and check all that it keeps now, instead of some every hour')
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => {
      const { nodeScrub } = await import('./commands/node-upkeep.ts')
      ended(await nodeScrub({ files: currentHome(), terminal: terminalFor(options), signal }))
    })
  node
    .command('collect')
    .description('free what nobody leases any more now, instead of within the hour')
    .addOption(jsonOption())
    .action(async (options: { json?: true }) => {
      const { nodeCollect } = await import('./commands/node-upkeep.ts')
      ended(await nodeCollect({ files: currentHome(), terminal: terminalFor(options), signal }))
    })
}

/** Belongs to the commands of a grid, beside whatever others there are. */
export function addGridStatus(context: ProgramContext): void {
  const { program } = context
  const known = program.commands.find((each) => each.name() === 'grid')
  const grid =
    known ?? program.command('grid').description('the grid and its members').helpCommand(false)
  grid
    .command('status')
    .description('ask all nodes how full they are; who gives how much, and who takes')
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 all nodes answer, 1 some do not.')
    .action(async (options: { json?: true }) => {
      const { gridStatus } = await import('./commands/grid-status.ts')
      context.ended(await gridStatus(commandContext(options, context)))
    })
}

function addDrain(context: ProgramContext, node: Command): void {
  node
    .command('drain')
    .description(
      'move all that it keeps to other nodes before it goes; it takes nothing new any more',
    )
    .option('--stop', 'keep what is left after all, and take new things again')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nIt may be interrupted: the node goes on by itself, also after it was started anew.\n' +
        'Exit status: 0 all is moved, 1 something is left.',
    )
    .action(async ({ stop, json }: { stop?: true; json?: true }) => {
      const { nodeDrain } = await import('./commands/node-drain.ts')
      const given = json === undefined ? {} : { json }
      const request = stop === undefined ? {} : { stop }
      context.ended(await nodeDrain(request, commandContext(given, context)))
    })
}

function addParcels(context: ProgramContext, node: Command): void {
  node
    .command('export')
    .description('copy what it keeps to a disk, to carry it to another node by hand')
    .argument('<DIR>', 'an empty directory, or one with an earlier export to go on with')
    .option('--for <node>', 'only what belongs on that node, which may be a new one')
    .addOption(jsonOption())
    .action(async (dir: string, options: { for?: string; json?: true }) => {
      const { nodeExport } = await import('./commands/node-parcels.ts')
      const request = { dir, destination: options.for }
      context.ended(await nodeExport(request, commandContext(options, context)))
    })
  node
    .command('import')
    .description('take over what another node has exported')
    .argument('<DIR>')
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 all was taken over, 1 some files were skipped.')
    .action(async (dir: string, options: { json?: true }) => {
      const { nodeImport } = await import('./commands/node-parcels.ts')
      context.ended(await nodeImport({ dir }, commandContext(options, context)))
    })
}
