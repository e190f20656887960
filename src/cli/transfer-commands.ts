import { rangeArgument, sharesArgument } from './arguments.ts'
import { usageError } from './failures.ts'
import { NO_VERSION, type ExpectedVersion } from './folders/expected-version.ts'
import { meansPlace } from './paths/place.ts'
import { commandContext, jsonOption, PLACE_HELP, type ProgramContext } from './program-context.ts'

/** Commands that bring files to the grid and back. */
export function addTransferCommands(context: ProgramContext): void {
  addPut(context)
  addGet(context)
  addCat(context)
}

interface PutOptions {
  readonly recursive?: true
  readonly ifUnchanged?: true
  readonly ifVersion?: string
  readonly shares?: string
  readonly randomKey?: true
  readonly json?: true
}

function addPut(context: ProgramContext): void {
  context.program
    .command('put')
    .description(
      'put files and directories into a folder; or store files and print the capability of each',
    )
    .argument(
      '<file...>',
      'files, - for standard input; where the last one is a PLACE, they go there',
    )
    .option('-r, --recursive', 'directories with all that is in them')
    .option(
      '--if-unchanged',
      'only if the file at PLACE is what was last read or put through this home',
    )
    .option(
      '--if-version <version>',
      'only if it is this version, as "ls --json" tells it, or "none"',
    )
    .option(
      '--shares <k/n>',
      'n shares of which any k bring the file back (default: what suits the grid); without PLACE',
    )
    .option(
      '--random-key',
      'a key by chance: equal files are not stored once, and nobody can test guesses; without PLACE',
    )
    .addOption(jsonOption())
    .addHelpText('after', PUT_HELP)
    .action(async (args: string[], options: PutOptions) => {
      const last = args.at(-1) ?? ''
      if (args.length > 1 && meansPlace(last)) await putInto(args, options, context)
      else await putAlone(args, options, context)
    })
}

const PUT_HELP = `
  hayloft put notes.txt                        stores it and prints its capability
  hayloft put notes.txt home:                  into your root folder
  hayloft put -r photos home:                  as home:photos; again later: what is new or has changed
  hayloft put -r photos home:pictures          as home:pictures
  hayloft put -r photos/. home:pictures        likewise
  program | hayloft put - home:output.txt
  hayloft put notes.txt haymutablewrite1…      as the new content of a file that changes`

async function putInto(
  args: string[],
  options: PutOptions,
  context: ProgramContext,
): Promise<void> {
  if (options.shares !== undefined || options.randomKey === true) {
    throw usageError('The options --shares and --random-key do not go with a folder.')
  }
  const request = {
    sources: args.slice(0, -1),
    target: args.at(-1) ?? '',
    recursive: options.recursive === true,
    expected: expectedVersion(options),
  }
  const { putInto: run } = await import('./commands/put-into.ts')
  context.ended(await run(request, commandContext(options, context)))
}

async function putAlone(
  files: string[],
  options: PutOptions,
  context: ProgramContext,
): Promise<void> {
  const { recursive, ifUnchanged, ifVersion } = options
  if (recursive === true || ifUnchanged === true || ifVersion !== undefined) {
    throw usageError('Into which folder? Name a place at the end: hayloft put -r photos home:')
  }
  const code = options.shares === undefined ? undefined : sharesArgument(options.shares)
  const { put } = await import('./commands/put.ts')
  const request = { files, code, randomKey: options.randomKey === true }
  context.ended(await put(request, commandContext(options, context)))
}

function expectedVersion({ ifUnchanged, ifVersion }: PutOptions): ExpectedVersion {
  if (ifVersion === undefined) return { kind: ifUnchanged === true ? 'last-seen' : 'any' }
  if (ifVersion === NO_VERSION) return { kind: 'version', version: undefined }
  if (/^[0-9a-f]{32}$/.test(ifVersion)) return { kind: 'version', version: ifVersion }
  throw usageError(
    `The option --if-version takes a version as "ls --json" tells it, 32 digits, or "${NO_VERSION}" for a file that is not there yet.`,
  )
}

interface GetOptions {
  readonly recursive?: true
  readonly output?: string
  readonly range?: string
  readonly overwrite?: true
  readonly json?: true
}

function addGet(context: ProgramContext): void {
  context.program
    .command('get')
    .description('bring a file back, or a directory')
    .argument('<PLACE>', PLACE_HELP)
    .argument(
      '[to]',
      'a local file or directory; without it, or for -, a file goes to standard output',
    )
    .option('-r, --recursive', 'a directory with all that is in it')
    .option('--overwrite', 'replace local files that have other content')
    .option('-o, --output <file>', 'write to this file, whole or not at all, and replace it')
    .option('--range <offset:length>', 'only these bytes')
    .addOption(jsonOption())
    .action(async (place: string, target: string | undefined, options: GetOptions) => {
      const request = {
        place,
        target,
        output: options.output,
        range: options.range === undefined ? undefined : rangeArgument(options.range),
        recursive: options.recursive === true,
        overwrite: options.overwrite === true,
      }
      const { get } = await import('./commands/get.ts')
      context.ended(await get(request, commandContext(options, context)))
    })
}

function addCat(context: ProgramContext): void {
  context.program
    .command('cat')
    .description('write files to standard output')
    .argument('<PLACE...>', PLACE_HELP)
    .action(async (places: string[]) => {
      const { cat } = await import('./commands/get.ts')
      context.ended(await cat({ places }, commandContext({}, context)))
    })
}
