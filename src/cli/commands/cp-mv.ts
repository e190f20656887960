import type { ExitCode } from '../exit-codes.ts'
import { EXIT } from '../exit-codes.ts'
import { destinationFor, refuseUnlessDirectory } from '../folders/destination.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { labelBelow } from '../folders/label.ts'
import { viewAt, newEntryAt, writableEntryAt, type Writable } from '../folders/powers.ts'
import { sourceEntryAt, type SourceEntry } from '../folders/source-entry.ts'
import { transplant } from '../../library/transplant.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { IntoItselfError } from '../../folders/errors.ts'
import type { Path } from '../../folders/names.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'

export interface CpRequest {
  readonly sources: readonly string[]
  readonly target: string
}

/** Copies within and between folders, by reference: no content moves. Directories are copied with all that is in them. */
export async function cp(request: CpRequest, context: CommandContext): Promise<ExitCode> {
  return await transfer(request, { context, kind: 'copy' })
}

/** Moves within a folder in one commit. Between folders it is a copy, and then a removal. */
export async function mv(request: CpRequest, context: CommandContext): Promise<ExitCode> {
  return await transfer(request, { context, kind: 'move' })
}

async function transfer(
  { sources, target: targetArgument }: CpRequest,
  { context, kind }: { context: CommandContext; kind: 'copy' | 'move' },
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const places: Place[] = []
  for (const each of sources) places.push(await placeArgument(each, home.findAlias))
  const target = await placeArgument(targetArgument, home.findAlias)
  await using client = await openFolderClient(context, home)
  const tools = { client, terminal, signal }
  const targetView = await viewAt(target, tools)
  if (places.length > 1) await refuseUnlessDirectory(targetView, target)
  const done: object[] = []
  for (const place of places) {
    if (kind === 'move') await writableEntryAt(place, tools)
    const source = await sourceEntryAt(place, tools)
    const path = await destinationFor(targetView, target, source.name)
    const to = await newEntryAt({ ...target, path }, tools)
    if (kind === 'move') refuseIntoItself(source, { target, path, to })
    const { located } = source
    if (located !== undefined && equalBytes(located.slot, to.folder.capability.slot)) {
      await to.folder.edit([{ kind, from: located.path, to: to.path }], { signal })
    } else {
      await transplant({ ...source, path: place.path }, to, signal)
      if (kind === 'move') await removeSource(source, tools)
    }
    done.push({ from: place.label, to: labelBelow(target, path) })
  }
  if (terminal.json) terminal.value(kind === 'copy' ? { copied: done } : { moved: done })
  return EXIT.ok
}

/** What is moved into itself, or into a folder that only it leads to, is nowhere any more. */
function refuseIntoItself(
  { place, shown }: SourceEntry,
  { target, path, to }: { target: Place; path: Path; to: Writable },
): void {
  const isBelow =
    formatCapability(place.capability) === formatCapability(target.capability) &&
    path.length > place.path.length &&
    place.path.every((name, at) => path[at] === name)
  const isIntoLinked =
    shown.entry.kind === 'linked-folder' && equalBytes(shown.entry.slot, to.folder.capability.slot)
  if (isBelow || isIntoLinked) throw new IntoItselfError(place.label)
}

async function removeSource(
  { place }: SourceEntry,
  tools: Parameters<typeof writableEntryAt>[1],
): Promise<void> {
  const { folder, path } = await writableEntryAt(place, tools)
  await folder.edit([{ kind: 'remove', path }], { signal: tools.signal })
}
