import { Option } from 'commander'
import type { SyncChoice } from '../gateway/daemon/sync-list.ts'
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
  addListAndSelect(inSync)
  addConflictsAndRevert(inSync)
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
    .addOption(onlyOption())
    .addOption(exceptOption())
    .addOption(jsonOption())
    .action(async (directory: string, target: string | undefined, options: JsonOption & Choice) => {
      const { syncAdd } = await import('./commands/sync.ts')
      const request = { directory, target, choice: choiceOf(options) }
      context.ended(await syncAdd(request, commandContext(options, context)))
    })
}

interface Choice {
  readonly only?: readonly string[]
  readonly except?: readonly string[]
}

function choiceOf({ only = [], except = [] }: Choice): SyncChoice {
  return { only, except }
}

function onlyOption(): Option {
  return new Option('--only <paths...>', 'nothing but these paths of the folder')
}

function exceptOption(): Option {
  return new Option('--except <paths...>', 'not these paths of the folder')
}

function addListAndSelect(context: ProgramContext): void {
  const { program } = context
  program
    .command('list')
    .description('what is synced with what')
    .addOption(jsonOption())
    .action(async (options: JsonOption) => {
      const { syncList } = await import('./commands/sync-choice.ts')
      context.ended(await syncList(commandContext(options, context)))
    })
  program
    .command('select')
    .description('change what of a folder a directory has; without options, all of it')
    .argument('<directory>', 'a directory that is synced')
    .addOption(onlyOption())
    .addOption(exceptOption())
    .addOption(jsonOption())
    .action(async (directory: string, options: JsonOption & Choice) => {
      const { syncSelect } = await import('./commands/sync-choice.ts')
      const request = { directory, choice: choiceOf(options) }
      context.ended(await syncSelect(request, commandContext(options, context)))
    })
}

function addConflictsAndRevert(context: ProgramContext): void {
  const { program } = context
  program
    .command('conflicts')
    .description('conflict copies in synced directories')
    .argument('[directory]', DIRECTORY_HELP)
    .addOption(jsonOption())
    .action(async (directory: string | undefined, options: JsonOption) => {
      const { syncConflicts } = await import('./commands/sync-conflicts.ts')
      context.ended(await syncConflicts({ directory }, commandContext(options, context)))
    })
  program
    .command('revert')
    .description(
      'make paths as they are in a folder that you may only read; without paths, tell what differs',
    )
    .argument('<directory>', 'a directory that is synced')
    .argument('[paths...]', 'paths in it, each with all that is below')
    .option('--all', 'everything')
    .addOption(jsonOption())
    .action(async (directory: string, paths: string[], options: JsonOption & { all?: true }) => {
      const { syncRevert } = await import('./commands/sync-conflicts.ts')
      const request = { directory, paths, all: options.all === true }
      context.ended(await syncRevert(request, commandContext(options, context)))
    })
}

function addStatus(context: ProgramContext): void {
  context.program
    .command('status')
    .description('how what is synced fares')
    .argument('[directory]', DIRECTORY_HELP)
    .option('--wait', 'return once all of it is in sync, or waits for you')
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
