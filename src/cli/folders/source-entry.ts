import type { FolderView } from '../../folders/service/view.ts'
import type { Name, Path } from '../../folders/names.ts'
import type { Shown } from '../../folders/read.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { Client } from '../../library/client.ts'
import { usageError } from '../failures.ts'
import type { Place } from '../paths/place.ts'
import type { ClientTools } from './folder-client.ts'
import { pathMissing } from './missing.ts'
import { readerAt, viewAt } from './powers.ts'

/** Something in a folder that is to be copied. */
export interface SourceEntry {
  readonly place: Place
  readonly name: Name
  readonly shown: Shown
  /** The folder that the place begins with; the place's path leads through it. */
  readonly view: FolderView
  /** The folder that it lies in at the end of all links, and where in there; none of a snapshot. */
  readonly located: { readonly slot: SlotKey; readonly path: Path } | undefined
}

/** @throws CliError, and what looking at folders throws */
export async function sourceEntryAt(place: Place, tools: ClientTools): Promise<SourceEntry> {
  const looked = await lookAt(place, tools)
  if (looked.shown === undefined) throw pathMissing(place)
  return { ...looked, shown: looked.shown }
}

/** The same, whether anything is there or not. */
export async function lookAt(
  place: Place,
  tools: ClientTools,
): Promise<Omit<SourceEntry, 'shown'> & { readonly shown: Shown | undefined }> {
  const name = place.path.at(-1)
  if (name === undefined) {
    throw usageError(
      `${place.label} is a whole folder. Name what is in it, or link it with "hayloft ln".`,
    )
  }
  const view = await viewAt(place, tools)
  const shown = await view.stat(place.path)
  return { place, name, shown, view, located: await locate(place, name, tools) }
}

async function locate(
  place: Place,
  name: Name,
  { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
): Promise<SourceEntry['located']> {
  if (place.capability.kind === 'snapshot-read') return undefined
  const reader = await readerAt(place, { client })
  // What lies under the name may itself be a link, which is then copied as one.
  const { folder, path } = await reader.locate(place.path.slice(0, -1), { signal })
  return { slot: folder.capability.slot, path: [...path, name] }
}
