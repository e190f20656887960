import { usageError } from './failures.ts'
import { commandContext, jsonOption, PLACE_HELP, type ProgramContext } from './program-context.ts'

/** Commands that change folders. */
export function addChangeCommands(context: ProgramContext): void {
  addMkdir(context)
  addRm(context)
  addCpAndMv(context)
  addLn(context)
  addFolder(context)
  addMutable(context)
  addPromote(context)
  addRestore(context)
}

interface JsonOption {
  readonly json?: true
}

function addMkdir(context: ProgramContext): void {
  context.program
    .command('mkdir')
    .description('make directories')
    .argument('<PLACE...>', PLACE_HELP)
    .option('-p, --parents', 'also those on the way, and no error where it is there already')
    .addOption(jsonOption())
    .action(async (places: string[], options: JsonOption & { parents?: true }) => {
      const { mkdir } = await import('./commands/mkdir.ts')
      const request = { places, parents: options.parents === true }
      context.ended(await mkdir(request, commandContext(options, context)))
    })
}

function addRm(context: ProgramContext): void {
  context.program
    .command('rm')
    .description('remove files and directories; "restore" brings them back')
    .argument('<PLACE...>', PLACE_HELP)
    .option('-r, --recursive', 'directories with all that is in them')
    .option('-f, --force', 'no error where nothing is there')
    .addOption(jsonOption())
    .action(async (places: string[], options: JsonOption & { recursive?: true; force?: true }) => {
      const { rm } = await import('./commands/rm.ts')
      const { recursive, force } = options
      const request = { places, recursive: recursive === true, force: force === true }
      context.ended(await rm(request, commandContext(options, context)))
    })
}

function addCpAndMv(context: ProgramContext): void {
  const both = [
    { name: 'cp', description: 'copy within and between folders; no content moves' },
    { name: 'mv', description: 'move or rename within and between folders; no content moves' },
  ] as const
  for (const { name, description } of both) {
    context.program
      .command(name)
      .description(description)
      .argument(
        '<PLACE...>',
        'what, and last the place that it goes to, or the directory to put it in',
      )
      .option('-r, --recursive', 'directories with all that is in them, which is so in any case')
      .addOption(jsonOption())
      .action(async (places: string[], options: JsonOption) => {
        const [sources, target] = [places.slice(0, -1), places.at(-1)]
        if (target === undefined || sources.length === 0) {
          throw usageError(`Where to? hayloft ${name} home:photos home:pictures`)
        }
        const commands = await import('./commands/cp-mv.ts')
        const request = { sources, target }
        context.ended(await commands[name](request, commandContext(options, context)))
      })
  }
}

function addLn(context: ProgramContext): void {
  context.program
    .command('ln')
    .description('link a folder, or a file that changes, in another folder')
    .argument('<TARGET>', 'what is to be linked: a capability, or an alias as in friends:')
    .argument('<PLACE>', 'where, and under which name')
    .addOption(jsonOption())
    .action(async (target: string, place: string, options: JsonOption) => {
      const { ln } = await import('./commands/ln.ts')
      context.ended(await ln({ target, place }, commandContext(options, context)))
    })
}

function addFolder(context: ProgramContext): void {
  const folder = context.program
    .command('folder')
    .description('folders that hang on nothing but their capability')
    .helpCommand(false)
  folder
    .command('create')
    .description('make an empty one and print its capability')
    .option('--alias <name>', 'call it so on this computer')
    .addOption(jsonOption())
    .action(async (options: JsonOption & { alias?: string }) => {
      const { folderCreate } = await import('./commands/folder-create.ts')
      context.ended(await folderCreate({ alias: options.alias }, commandContext(options, context)))
    })
  folder
    .command('accept')
    .description(
      'go back to an older state that storage nodes went back to, the newer one being gone',
    )
    .argument('<PLACE>', PLACE_HELP)
    .option('--force', 'also where only some of the newer state is gone')
    .addOption(jsonOption())
    .action(async (place: string, options: { readonly force?: true; readonly json?: true }) => {
      const { folderAccept } = await import('./commands/folder-accept.ts')
      const request = { place, force: options.force === true }
      context.ended(await folderAccept(request, commandContext(options, context)))
    })
}

function addMutable(context: ProgramContext): void {
  const mutable = context.program
    .command('mutable')
    .description('files that change and hang on nothing but their capability')
    .helpCommand(false)
  mutable
    .command('create')
    .description('make one and print its capability; "put FILE CAP" changes it')
    .argument('[file]', 'what is in it at first; - for standard input (default: nothing)')
    .option('--alias <name>', 'call it so on this computer')
    .addOption(jsonOption())
    .action(async (file: string | undefined, options: JsonOption & { alias?: string }) => {
      const { mutableCreate } = await import('./commands/mutable-create.ts')
      const request = { file, alias: options.alias }
      context.ended(await mutableCreate(request, commandContext(options, context)))
    })
  mutable
    .command('accept')
    .description(
      'go back to an older content that storage nodes went back to, the newer one being gone',
    )
    .argument('<PLACE>', PLACE_HELP)
    .option('--force', 'also where only some of the newer content is gone')
    .addOption(jsonOption())
    .action(async (place: string, options: { readonly force?: true; readonly json?: true }) => {
      const { mutableAccept } = await import('./commands/mutable-accept.ts')
      const request = { place, force: options.force === true }
      context.ended(await mutableAccept(request, commandContext(options, context)))
    })
}

function addPromote(context: ProgramContext): void {
  context.program
    .command('promote')
    .description('make a directory a folder of its own, so that it can be shared as it changes')
    .argument('<PLACE>', PLACE_HELP)
    .addOption(jsonOption())
    .action(async (place: string, options: JsonOption) => {
      const { promote } = await import('./commands/promote.ts')
      context.ended(await promote({ place }, commandContext(options, context)))
    })
}

function addRestore(context: ProgramContext): void {
  context.program
    .command('restore')
    .description('make a path, or a whole folder, what it was before')
    .argument('<PLACE>', PLACE_HELP)
    .option(
      '--at <time>',
      'when: 2026-11-23, "2026-11-23 13:45", "2h ago", or a number of "history" (default: before it was removed)',
    )
    .addOption(jsonOption())
    .action(async (place: string, options: JsonOption & { at?: string }) => {
      const { restore } = await import('./commands/restore.ts')
      context.ended(await restore({ place, at: options.at }, commandContext(options, context)))
    })
}
