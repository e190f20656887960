import { usageError } from './failures.ts'
import {
  CAPABILITY_HELP,
  commandContext,
  jsonOption,
  PLACE_HELP,
  terminalFor,
  type ProgramContext,
} from './program-context.ts'
import { currentHome } from '../home/layout.ts'
import { sizeArgument } from './sizes.ts'

/** Commands about keeping things safe for long. */
export function addCareCommands(context: ProgramContext): void {
  addMaintain(context)
  addHealth(context)
}

type Command = ProgramContext['program']

function addMaintain(context: ProgramContext): void {
  const maintain = context.program
    .command('maintain')
    .description('look after all that you keep: audits, leases, repairs, by themselves')
    .helpCommand(false)
    .option('--once', 'do what is due, then end: for cron')
    .option('--budget <size>', 'what repairs may send and fetch in a day (default: 2GiB)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nLooks after home:, whatever has an alias, and what "maintain add" has taken on. With --json it prints one JSON\n' +
        'object a line for all that happens. A storage node in the same home does the same without being asked.\n\n' +
        'Exit status with --once: 0 all is whole, 1 something is missing or nodes did not answer, 2 something is lost.',
    )
    .action(async (options: { once?: true; budget?: string; json?: true }) => {
      const { maintain: run } = await import('./commands/maintain.ts')
      const { budget } = options
      const request = {
        once: options.once === true,
        ...(budget !== undefined && { budgetBytes: budgetArgument(budget) }),
      }
      context.ended(await run(request, commandContext(options, context)))
    })
  addMaintainAdd(context, maintain)
  addMaintainList(context, maintain)
  maintain
    .command('remove')
    .description('look after something no longer')
    .argument('<name>')
    .addOption(jsonOption())
    .action(async (name: string, _options, command: Command) => {
      const { maintainRemove } = await import('./commands/maintain-list.ts')
      context.ended(await maintainRemove({ name }, contextFor(command)))
    })
}

function addMaintainAdd({ ended }: ProgramContext, maintain: Command): void {
  maintain
    .command('add')
    .description('look after what a friend keeps: the power to verify it is enough')
    .argument('<CAP>', CAPABILITY_HELP)
    .option('--name <name>', 'what to call it')
    .addOption(jsonOption())
    .action(async (capability: string, options: { name?: string }, command: Command) => {
      const { maintainAdd } = await import('./commands/maintain-list.ts')
      ended(await maintainAdd({ capability, name: options.name }, contextFor(command)))
    })
}

function addMaintainList({ ended }: ProgramContext, maintain: Command): void {
  maintain
    .command('list')
    .description('what is looked after, and how it was at the last visit')
    .option('--show', 'the capabilities themselves')
    .addOption(jsonOption())
    .action(async (options: { show?: true }, command: Command) => {
      const { maintainList } = await import('./commands/maintain-list.ts')
      ended(await maintainList({ show: options.show === true }, contextFor(command)))
    })
}

/** The parent takes --json too, wherever it stands. */
function contextFor(
  command: Command,
): Pick<ReturnType<typeof commandContext>, 'files' | 'terminal'> {
  const options = command.optsWithGlobals<{ json?: true }>()
  return { files: currentHome(), terminal: terminalFor(options) }
}

function addHealth(context: ProgramContext): void {
  context.program
    .command('health')
    .description('how safe things are: how many households may vanish, and what would help')
    .argument('[PLACE]', `${PLACE_HELP} (default: all that is looked after)`)
    .option('--drill [files]', 'fetch some of it for real, chosen by chance (default: 10)')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExit status: 0 safe, 1 at risk or something is missing, 2 something cannot be read.',
    )
    .action(async (given: string | undefined, options: { drill?: string | true; json?: true }) => {
      const { health } = await import('./commands/health.ts')
      const request = healthRequest(given, options.drill)
      context.ended(await health(request, commandContext(options, context)))
    })
}

/** `health --drill PLACE` reads as if PLACE were a number; nobody who writes it means that. */
function healthRequest(
  given: string | undefined,
  drill: string | true | undefined,
): { place?: string; drill?: number } {
  if (drill === undefined) return given === undefined ? {} : { place: given }
  const isCount = typeof drill === 'string' && /^\d{1,6}$/.test(drill) && Number(drill) > 0
  if (given !== undefined && typeof drill === 'string' && !isCount) {
    throw usageError('The option --drill takes how many files to fetch, such as --drill 10.')
  }
  const place = given ?? (typeof drill === 'string' && !isCount ? drill : undefined)
  return { ...(place !== undefined && { place }), drill: isCount ? Number(drill) : DRILL_FILES }
}

function budgetArgument(text: string): number {
  const bytes = sizeArgument(text, '--budget')
  if (bytes < MIN_BUDGET_BYTES) {
    throw usageError(
      'The option --budget takes 16MiB at least: with less no repair would come to its end.',
    )
  }
  return bytes
}

const DRILL_FILES = 10
/** A block with all its shares, and as much again. */
const MIN_BUDGET_BYTES = 16 * 1024 * 1024
