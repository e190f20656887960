import { commandContext, jsonOption, PLACE_HELP, type ProgramContext } from './program-context.ts'

/** Commands that keep directories in step with folders. */
export function addSyncCommands(context: ProgramContext): void {
  const sync = context.program
    .command('sync')
    .description('keep a directory of this computer in step with a folder of the grid')
    .helpCommand(false)
  const inSync = { ...context, program: sync }
  addAdd(inSync)
  addStatus(inSync)
  addPauseAndResume(inSync)
  addRemove(inSync)
}

interface JsonOption {
  readonly json?: true
}

const DIRECTORY_HELP = 'a directory that is synced (default: all of them)'

function addAdd(context: ProgramContext): void {
  context.program
    .command('add')
    .description('sync a directory from now on')
    .argument('<directory>', 'a directory of this computer')
    .argument(
      '[PLACE]',
      `the folder to sync it with: ${PLACE_HELP}. What is there and is no folder of its own becomes one; where there is nothing, ` +
        'a new one is made (default: home:NAME, NAME being that of the directory)',
    )
    .addOption(jsonOption())
    .action(async (directory: string, target: string | undefined, options: JsonOption) => {
      const { syncAdd } = await import('./commands/sync.ts')
      context.ended(await syncAdd({ directory, target }, commandContext(options, context)))
    })
}

function addStatus(context: ProgramContext): void {
  context.program
    .command('status')
    .alias('list')
    .description('what is synced, and how it fares')
    .argument('[directory]', DIRECTORY_HELP)
    .option('--wait', 'return once all of it is in sync')
    .addOption(jsonOption())
    .action(async (directory: string | undefined, options: JsonOption & { wait?: true }) => {
      const { syncStatus } = await import('./commands/sync.ts')
      const request = { directory, wait: options.wait === true }
      context.ended(await syncStatus(request, commandContext(options, context)))
    })
}

function addPauseAndResume(context: ProgramContext): void {
  const { program, ended } = context
  program
    .command('pause')
    .description('leave directories and folders as they are until "resume"')
    .argument('[directory]', DIRECTORY_HELP)
    .addOption(jsonOption())
    .action(async (directory: string | undefined, options: JsonOption) => {
      const { syncPause } = await import('./commands/sync.ts')
      ended(await syncPause({ directory, isPaused: true }, commandContext(options, context)))
    })
  program
    .command('resume')
    .description('go on')
    .argument('[directory]', DIRECTORY_HELP)
    .option('--allow-removals', 'yes, so many files were meant to be removed')
    .addOption(jsonOption())
    .action(
      async (directory: string | undefined, options: JsonOption & { allowRemovals?: true }) => {
        const { syncPause } = await import('./commands/sync.ts')
        const { allowRemovals } = options
        const request = { directory, isPaused: false, allowRemovals }
        ended(await syncPause(request, commandContext(options, context)))
      },
    )
}

function addRemove(context: ProgramContext): void {
  context.program
    .command('remove')
    .description('sync a directory no more; its files stay on both sides')
    .argument('<directory>', 'a directory that is synced')
    .addOption(jsonOption())
    .action(async (directory: string, options: JsonOption) => {
      const { syncRemove } = await import('./commands/sync.ts')
      context.ended(await syncRemove({ directory }, commandContext(options, context)))
    })
}
