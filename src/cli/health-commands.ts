import { Option } from 'commander'
import type { Power } from '../folders/service/view.ts'
import type { Verification } from './commands/check.ts'
import { usageError } from './failures.ts'
import { commandContext, jsonOption, PLACE_HELP, type ProgramContext } from './program-context.ts'

/** Commands about how things fare on the grid, and about powers over them. */
export function addHealthCommands(context: ProgramContext): void {
  addCheck(context)
  addRepair(context)
  addRenew(context)
  addCapability(context)
  addDoctor(context)
}

const RECURSIVE_HELP = 'of a directory all that is in it, which is so in any case'

function addDoctor(context: ProgramContext): void {
  context.program
    .command('doctor')
    .description('find out what keeps this device and other members apart, and what to do about it')
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 all is well, 1 something is to be done.')
    .action(async (options: { json?: true }) => {
      const { doctor } = await import('./commands/doctor.ts')
      context.ended(await doctor(commandContext(options, context)))
    })
}

interface CheckOptions {
  readonly recursive?: true
  readonly verify?: string | true
  readonly json?: true
}

function addCheck(context: ProgramContext): void {
  context.program
    .command('check')
    .description('find out where a file or folder is, and whether it is whole')
    .argument('[PLACE]', PLACE_HELP)
    .option('-r, --recursive', RECURSIVE_HELP)
    .option(
      '--verify [how]',
      'look at the shares themselves: "full" reads every byte (default), "audit" samples',
    )
    .addOption(jsonOption())
    .addHelpText('after', '\nExit status: 0 healthy, 1 degraded or not certain, 2 lost.')
    .action(async (given: string | undefined, options: CheckOptions) => {
      const request = checkRequest(given, options.verify)
      const { check } = await import('./commands/check.ts')
      context.ended(await check(request, commandContext(options, context)))
    })
}

/** `check --verify PLACE` reads as if PLACE were how to verify; nobody who writes it means that. */
function checkRequest(
  given: string | undefined,
  verify: string | true | undefined,
): { place: string; verify: Verification } {
  const isHow = verify === 'full' || verify === 'audit'
  if (given !== undefined && typeof verify === 'string' && !isHow) {
    throw usageError('The option --verify takes "full" or "audit", or nothing for "full".')
  }
  const place = given ?? (typeof verify === 'string' && !isHow ? verify : undefined)
  if (place === undefined) {
    throw usageError('Which file? Name it, or its capability: hayloft check home:photos')
  }
  if (verify === undefined) return { place, verify: 'none' }
  return { place, verify: verify === 'audit' ? 'audit' : 'full' }
}

function addRepair(context: ProgramContext): void {
  context.program
    .command('repair')
    .description('make what is missing of a file or folder anew; a verify capability suffices')
    .argument('<PLACE>', PLACE_HELP)
    .option('-r, --recursive', RECURSIVE_HELP)
    .addOption(
      new Option('--verify <how>', 'look at the shares that are left: by samples, or every byte')
        .choices(['audit', 'full'] as const)
        .default('audit' as const),
    )
    .addOption(jsonOption())
    .action(async (place: string, options: { verify: 'audit' | 'full'; json?: true }) => {
      const { repair } = await import('./commands/repair.ts')
      const request = { place, verify: options.verify }
      context.ended(await repair(request, commandContext(options, context)))
    })
}

function addRenew(context: ProgramContext): void {
  context.program
    .command('renew')
    .description('have nodes keep what is there for another 45 days; a verify capability suffices')
    .argument('[PLACE...]', `${PLACE_HELP} (default: home: and every alias)`)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nOf the past of folders what is thinned is let go: all of a day is kept, then the last state of each hour\n' +
        'for a week, of each day for a month, of each month for a year.\n\n' +
        'Exit status: 0 all is leased, 1 shares are missing or nodes did not answer, 2 something is lost.',
    )
    .action(async (places: string[], options: { json?: true }) => {
      const { renew } = await import('./commands/renew.ts')
      context.ended(await renew({ places }, commandContext(options, context)))
    })
}

function addCapability(context: ProgramContext): void {
  const powers: readonly Power[] = ['write', 'read', 'verify']
  context.program
    .command('capability')
    .description('explain a capability, or print that of a place, or a weaker one')
    .argument('<PLACE>', PLACE_HELP)
    .addOption(
      new Option('--to <power>', 'print the capability that gives this power').choices(powers),
    )
    .addOption(jsonOption())
    .action(async (place: string, options: { to?: Power; json?: true }) => {
      const { capability } = await import('./commands/capability.ts')
      const request = { place, to: options.to }
      context.ended(await capability(request, commandContext(options, context)))
    })
}
