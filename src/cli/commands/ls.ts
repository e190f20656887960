import type { Shown } from '../../folders/read.ts'
import type { FolderView } from '../../folders/service/view.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { alignColumns } from '../folders/columns.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { pathMissing } from '../folders/missing.ts'
import { viewAt } from '../folders/powers.ts'
import { bytesOf, describeShown, markOf, timeOf } from '../folders/shown-entry.ts'
import { formatTime } from '../folders/times.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import { formatBytes, printableName, type Terminal } from '../terminal.ts'

/** Lists a directory, or one file. In columns for people, a name a line for programs. */
export async function ls(
  request: { readonly place: string; readonly long: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const view = await viewAt(place, { client, terminal, signal })
  const entries = await entriesAt(view, place)
  if (terminal.json) {
    terminal.value({ place: place.label, entries: entries.map(describeShown) })
  } else if (request.long || terminal.isScreen) {
    for (const line of longLines(entries, { withDevice: request.long, terminal })) {
      terminal.line(line)
    }
  } else {
    for (const { name } of entries) terminal.line(name)
  }
  return EXIT.ok
}

async function entriesAt(view: FolderView, place: Place): Promise<Shown[]> {
  const { path } = place
  const shown = await view.stat(path)
  if (shown === undefined) throw pathMissing(place)
  const isEntered = shown.entry.kind === 'directory' || shown.entry.kind === 'linked-folder'
  return isEntered || place.isDirectory ? await view.list(path) : [shown]
}

function longLines(
  entries: readonly Shown[],
  { withDevice, terminal }: { withDevice: boolean; terminal: Terminal },
): string[] {
  const rows = entries.map(({ name, entry, copyOf }) => {
    const bytes = bytesOf(entry)
    const timeMs = timeOf(entry)
    const device = entry.kind === 'directory' ? '' : entry.device
    const mark = copyOf === undefined ? '' : `  (a conflict copy of ${copyOf})`
    const shown = `${name}${markOf(entry)}${mark}`
    return [
      bytes === undefined ? '-' : formatBytes(bytes),
      timeMs === undefined ? '-' : formatTime(timeMs),
      ...(withDevice ? [terminal.isScreen ? printableName(device) : device] : []),
      terminal.isScreen ? printableName(shown) : shown,
    ]
  })
  return alignColumns(
    rows,
    withDevice ? ['right', 'left', 'left', 'left'] : ['right', 'left', 'left'],
  )
}
