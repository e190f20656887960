import { Option } from 'commander'
import type { BandwidthRequest } from './commands/bandwidth.ts'
import { usageError } from './failures.ts'
import { commandContext, jsonOption, type ProgramContext } from './program-context.ts'

/** Commands of the daemon, which runs all that a home has to run. */
export function addDaemonCommands(context: ProgramContext): void {
  addStart(context)
  addStop(context)
  addStatus(context)
  addBandwidth(context)
  addService(context)
}

interface JsonOption {
  readonly json?: true
}

interface StartOptions extends JsonOption {
  readonly detach?: true
  readonly node: boolean
  readonly port?: string
  readonly quiet?: true
}

function addStart(context: ProgramContext): void {
  context.program
    .command('start')
    .description(
      'run the daemon of this home: its storage node, its synced directories, care of what it keeps, and the HTTP API; ' +
        'until Ctrl-C, SIGTERM or "hayloft stop"',
    )
    .option('--detach', 'run it in the background, and return when it is ready')
    .option('--no-node', 'leave out the storage node, if this home has one')
    .option('--port <port>', 'where its API listens on 127.0.0.1 (default: any port that is free)')
    .addOption(new Option('--quiet').hideHelp())
    .addOption(jsonOption())
    .action(async ({ detach, node, port, quiet, ...options }: StartOptions) => {
      const { start } = await import('./commands/start.ts')
      const request = {
        detach: detach === true,
        withNode: node,
        port: portOf(port),
        isQuiet: quiet === true,
      }
      context.ended(await start(request, commandContext(options, context)))
    })
}

function addStop(context: ProgramContext): void {
  context.program
    .command('stop')
    .description('end the daemon of this home in good order')
    .addOption(jsonOption())
    .action(async (options: JsonOption) => {
      const { stop } = await import('./commands/stop.ts')
      context.ended(await stop(commandContext(options, context)))
    })
}

function addStatus(context: ProgramContext): void {
  context.program
    .command('status')
    .description('whether the daemon of this home runs, and how all that it runs fares')
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 it runs, 1 it does not.')
    .action(async (options: JsonOption) => {
      const { status } = await import('./commands/status.ts')
      context.ended(await status(commandContext(options, context)))
    })
}

function addBandwidth(context: ProgramContext): void {
  context.program
    .command('bandwidth')
    .description(
      'show how much this home sends and takes at most, or change that; what runs in it follows at once',
    )
    .option(
      '--upload <rate>',
      'what it sends at most, such as 2MB/s or 20Mbit/s; none for no limit',
    )
    .option('--download <rate>', 'what it takes at most')
    .option('--when <time>', 'set that for a time of the week only, such as "mon-fri 08:00-18:00"')
    .option('--clear', 'take away the limits of that time, or without --when all limits')
    .addOption(jsonOption())
    .action(async ({ json, ...request }: BandwidthRequest & JsonOption) => {
      const { bandwidth } = await import('./commands/bandwidth.ts')
      const given = json === undefined ? {} : { json }
      context.ended(await bandwidth(request, commandContext(given, context)))
    })
}

interface ServiceOptions extends JsonOption {
  readonly name: string
  readonly port?: string
}

function addService(context: ProgramContext): void {
  const service = context.program
    .command('service')
    .description('have systemd run the daemon whenever you are logged in')
    .helpCommand(false)
  const nameOption = (): Option =>
    new Option('--name <name>', 'what the service is called').default('hayloft')
  service
    .command('install')
    .description('write a systemd user unit for this home, and say how to start it')
    .addOption(nameOption())
    .option('--port <port>', 'where the API listens on 127.0.0.1 (default: any port that is free)')
    .addOption(jsonOption())
    .action(async ({ name, port, ...options }: ServiceOptions) => {
      const { serviceInstall } = await import('./commands/service.ts')
      const request = { name, port: portOf(port) }
      context.ended(await serviceInstall(request, commandContext(options, context)))
    })
  service
    .command('remove')
    .description('take the unit away again')
    .addOption(nameOption())
    .addOption(jsonOption())
    .action(async ({ name, ...options }: ServiceOptions) => {
      const { serviceRemove } = await import('./commands/service.ts')
      context.ended(await serviceRemove({ name }, commandContext(options, context)))
    })
}

function portOf(text = '0'): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw usageError('A port is a number from 0 to 65535; 0 is any that is free.')
}
