import type { Edit } from '../../folders/commit/edits.ts'
import type { FolderView } from '../../folders/service/view.ts'
import type { Path } from '../../folders/names.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { needingDirectory, newEntryAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'

export interface MkdirRequest {
  readonly places: readonly string[]
  /** Make those on the way too, and be content with what is there. */
  readonly parents: boolean
}

/** Makes directories. */
export async function mkdir(request: MkdirRequest, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const places: Place[] = []
  for (const each of request.places) places.push(await placeArgument(each, home.findAlias))
  await using client = await openFolderClient(context, home)
  const made: string[] = []
  for (const place of places) {
    const { folder, path } = await newEntryAt(place, { client, signal })
    const { durability } = await folder.edit(
      async (view) => await makingOf(view, path, { place, parents: request.parents }),
      { signal },
    )
    if (durability !== 'unchanged') made.push(place.label)
  }
  if (terminal.json) terminal.value({ made })
  return EXIT.ok
}

async function makingOf(
  view: FolderView,
  path: Path,
  { place, parents }: { place: Place; parents: boolean },
): Promise<Edit[]> {
  const there = await needingDirectory(async () => await view.stat(path))
  if (there === undefined) {
    if (!parents && (await view.stat(path.slice(0, -1))) === undefined) throw parentMissing(place)
    return [{ kind: 'make-directory', path }]
  }
  if (parents && (there.entry.kind === 'directory' || there.entry.kind === 'linked-folder'))
    return []
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'exists',
    message: `${place.label} is there already.`,
  })
}

function parentMissing({ label }: Place): CliError {
  return new CliError({
    exit: EXIT.inputMissing,
    code: 'path-not-found',
    message: `The directory that ${label} would be in does not exist. Add -p to make it, too.`,
  })
}
