import { usageError } from './failures.ts'
import { commandContext, jsonOption, PLACE_HELP, type ProgramContext } from './program-context.ts'

/** Commands that look at folders. */
export function addFolderCommands(context: ProgramContext): void {
  addLs(context)
  addDu(context)
  addHistory(context)
  addSnapshot(context)
  addWatch(context)
}

interface JsonOption {
  readonly json?: true
}

function addLs(context: ProgramContext): void {
  context.program
    .command('ls')
    .description('list a directory: for people with sizes and times, in a pipe one name a line')
    .argument('[PLACE]', `${PLACE_HELP} (default: home:)`)
    .option('-l, --long', 'sizes, times and devices, in a pipe too')
    .addOption(jsonOption())
    .action(async (place: string | undefined, options: JsonOption & { long?: true }) => {
      const { ls } = await import('./commands/ls.ts')
      const request = { place: place ?? 'home:', long: options.long === true }
      context.ended(await ls(request, commandContext(options, context)))
    })
}

function addDu(context: ProgramContext): void {
  context.program
    .command('du')
    .description('how much is in a directory and in those below it')
    .argument('[PLACE]', `${PLACE_HELP} (default: home:)`)
    .option('-d, --depth <n>', 'directories inside each other that are told (default: 1)')
    .option('-s, --summary', 'only the whole, as with --depth 0')
    .addOption(jsonOption())
    .action(
      async (
        place: string | undefined,
        options: JsonOption & { depth?: string; summary?: true },
      ) => {
        const depth = wholeNumber(options.depth ?? '1', '--depth')
        const { du } = await import('./commands/du.ts')
        const request = { place: place ?? 'home:', depth: options.summary === true ? 0 : depth }
        context.ended(await du(request, commandContext(options, context)))
      },
    )
}

function addHistory(context: ProgramContext): void {
  context.program
    .command('history')
    .description('what a folder, or a path in it, was before, the newest first')
    .argument('<PLACE>', PLACE_HELP)
    .option('-n, --limit <n>', 'how many are told (default: 50)')
    .addOption(jsonOption())
    .action(async (place: string, options: JsonOption & { limit?: string }) => {
      const limit = wholeNumber(options.limit ?? '50', '--limit')
      const { history } = await import('./commands/history.ts')
      context.ended(await history({ place, limit }, commandContext(options, context)))
    })
}

function addSnapshot(context: ProgramContext): void {
  context.program
    .command('snapshot')
    .description('print the capability of a directory as it is now and for ever')
    .argument('<PLACE>', PLACE_HELP)
    .addOption(jsonOption())
    .action(async (place: string, options: JsonOption) => {
      const { snapshot } = await import('./commands/snapshot.ts')
      context.ended(await snapshot({ place }, commandContext(options, context)))
    })
}

function addWatch(context: ProgramContext): void {
  context.program
    .command('watch')
    .description('print what changes in folders, directories and files, as it does')
    .argument('<PLACE...>', PLACE_HELP)
    .addOption(jsonOption())
    .action(async (places: string[], options: JsonOption) => {
      const { watch } = await import('./commands/watch.ts')
      context.ended(await watch({ places }, commandContext(options, context)))
    })
}

/** @throws CliError */
function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,6}$/.test(text)) {
    throw usageError(`The option ${option} takes a whole number, such as ${option} 3.`)
  }
  return Number(text)
}
