import type { Edit } from '../../folders/commit/edits.ts'
import type { FolderWriter } from '../../folders/service/folder.ts'
import type { FolderView } from '../../folders/service/view.ts'
import type { Path } from '../../folders/names.ts'
import { slotKeyHex } from '../../protocol/slot-key.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { pathMissing } from '../folders/missing.ts'
import { writableEntryAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import { count } from '../terminal.ts'

export interface RmRequest {
  readonly places: readonly string[]
  readonly recursive: boolean
  /** What is not there is no failure. */
  readonly force: boolean
}

interface Removal {
  readonly place: Place
  readonly path: Path
}

/** Removes files and directories: all that lie in one folder in one commit, or none of them. */
export async function rm(request: RmRequest, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const places: Place[] = []
  for (const each of request.places) places.push(await placeArgument(each, home.findAlias))
  await using client = await openFolderClient(context, home)
  const byFolder = new Map<string, { folder: FolderWriter; removals: Removal[] }>()
  for (const place of places) {
    const { folder, path } = await writableEntryAt(place, { client, signal })
    const slot = slotKeyHex(folder.capability.slot)
    const { removals } = byFolder.get(slot) ?? { removals: [] }
    byFolder.set(slot, { folder, removals: [...removals, { place, path }] })
  }
  const removed: string[] = []
  for (const { folder, removals } of byFolder.values()) {
    let gone: string[] = []
    await folder.edit(
      async (view) => {
        const found = await findRemovals(view, removals, request)
        gone = found.map(({ place }) => place.label)
        return found.map(({ path }): Edit => ({ kind: 'remove', path }))
      },
      { signal },
    )
    removed.push(...gone)
  }
  if (terminal.json) terminal.value({ removed })
  else if (request.recursive) {
    const what = removed.length === 1 ? 'it' : 'them'
    terminal.note(
      `Removed ${count(removed.length, 'entry', 'entries')}. "hayloft restore" brings ${what} back.`,
    )
  }
  return EXIT.ok
}

/** What is there of it, each once and nothing that lies in another. */
async function findRemovals(
  view: FolderView,
  removals: readonly Removal[],
  { recursive, force }: RmRequest,
): Promise<Removal[]> {
  const found = new Map<string, Removal>()
  for (const removal of removals) {
    const { place, path } = removal
    const shown = await view.stat(path)
    if (shown === undefined) {
      if (force) continue
      throw pathMissing(place)
    }
    if (shown.entry.kind === 'directory' && !recursive) {
      throw usageError(`${place.label} is a directory. Add -r to remove it with all that is in it.`)
    }
    found.set(path.join('/'), removal)
  }
  return [...found.values()].filter(
    ({ path }) => !path.some((_, at) => at > 0 && found.has(path.slice(0, at).join('/'))),
  )
}
