import { describe } from '../../capabilities/describe.ts'
import type { Capability } from '../../capabilities/capability.ts'
import type { LinkTarget } from '../../folders/service/folder.ts'
import { asLinkTarget } from '../../folders/service/links.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { pathMissing } from '../folders/missing.ts'
import { needingDirectory, newEntryAt, viewAt } from '../folders/powers.ts'
import { linkTargetAt } from '../../library/transplant.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'

/** Links a folder, or a file that changes, in another folder. Whoever reads the one finds the other in it. */
export async function ln(
  request: { readonly target: string; readonly place: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const target = await placeArgument(request.target, home.findAlias)
  const place = await placeArgument(request.place, home.findAlias)
  if (target.path.length === 0) linkable(target.capability)
  await using client = await openFolderClient(context, home)
  const tools = { client, terminal, signal }
  const { folder, path } = await newEntryAt(place, tools)
  const linked = await targetOf(target, tools)
  const now = await folder.now({ signal })
  const there = await needingDirectory(async () => await now.stat(path))
  if (there !== undefined) throw alreadyThere(place)
  await folder.link(path, linked, { ifUnchanged: [{ path, version: undefined }], signal })
  if (terminal.json) terminal.value({ place: place.label, kind: linked.kind })
  else terminal.note(`${place.label} is now ${describe(linked).title}, linked.`)
  return EXIT.ok
}

async function targetOf(target: Place, tools: Parameters<typeof viewAt>[1]): Promise<LinkTarget> {
  if (target.path.length === 0) return linkable(target.capability)
  const view = await viewAt(target, tools)
  const shown = await view.stat(target.path)
  if (shown === undefined) throw pathMissing(target)
  const { kind } = shown.entry
  if (kind === 'linked-folder' || kind === 'linked-file')
    return await linkTargetAt(view, target.path)
  throw usageError(
    kind === 'directory'
      ? `${target.label} is a directory within a folder. Make it one of its own first: hayloft promote ${target.label}`
      : `${target.label} is a file within a folder, which has no link. Copy it: it takes no room.`,
  )
}

function linkable(capability: Capability): LinkTarget {
  const target = asLinkTarget(capability)
  if (target !== undefined) return target
  throw usageError(
    `This is the capability of ${describe(capability).title}. Only folders and files that change can be linked, by who may read them.`,
  )
}

function alreadyThere({ label }: Place): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'exists',
    message: `${label} is there already. Remove it first, or choose another name.`,
  })
}
