import type { FolderView } from '../../folders/service/view.ts'
import { formatPath, type Path } from '../../folders/names.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { alignColumns } from '../folders/columns.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { labelBelow } from '../folders/label.ts'
import { pathMissing } from '../folders/missing.ts'
import { viewAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { count, formatBytes, printableName } from '../terminal.ts'

export interface DuRequest {
  readonly place: string
  /** Directories inside each other that get a line of their own; 0 for the whole alone. */
  readonly depth: number
}

interface Usage {
  readonly path: Path
  readonly sizeBytes: number
  readonly files: number
}

/** Tells how much is in a directory and in those below it: sizes of files, before they are cut into shares. */
export async function du(request: DuRequest, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const view = await viewAt(place, { client, terminal, signal })
  const shown = await view.stat(place.path)
  if (shown === undefined) throw pathMissing(place)
  if (shown.entry.kind !== 'directory' && shown.entry.kind !== 'linked-folder') {
    throw usageError(
      `${place.label} is no directory; "hayloft ls -l ${place.label}" tells its size.`,
    )
  }
  const usages = await usagesOf(view, place.path, request.depth)
  if (terminal.json) {
    terminal.value(
      usages.map(({ path, sizeBytes, files }) => ({
        place: labelBelow(place, path),
        path: formatPath(path),
        size: sizeBytes,
        files,
      })),
    )
    return EXIT.ok
  }
  const rows = usages.map(({ path, sizeBytes, files }) => {
    const label = labelBelow(place, path)
    return [
      formatBytes(sizeBytes),
      count(files, 'file'),
      terminal.isScreen ? printableName(label) : label,
    ]
  })
  for (const line of alignColumns(rows, ['right', 'right', 'left'])) terminal.line(line)
  return EXIT.ok
}

/** What is below each directory, before the directory itself. Reads a node for each that is not told by another. */
async function usagesOf(view: FolderView, path: Path, depth: number): Promise<Usage[]> {
  const below: Usage[] = []
  if (depth > 0) {
    for (const { name, entry } of await view.list(path)) {
      if (entry.kind !== 'directory') continue
      const inner = [...path, name]
      const { sizeBytes, files } = entry.totals
      if (depth === 1) below.push({ path: inner, sizeBytes, files })
      else below.push(...(await usagesOf(view, inner, depth - 1)))
    }
  }
  const { sizeBytes, files } = await view.measure(path)
  return [...below, { path, sizeBytes, files }]
}
