import { IntoItselfError } from '../../folders/errors.ts'
import { formatPath, type Path } from '../../folders/names.ts'
import type { CommitResult } from '../../folders/service/folder.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { transplant } from '../../library/transplant.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { ApiContext } from './context.ts'
import { readerAt, shownAt, viewAt, writableEntryAt, type FoundPlace } from '../places.ts'

/** Moves or copies what is at a place to another one, in the same folder or from one into another. */
export async function transfer(
  { from, to, kind }: { from: FoundPlace; to: FoundPlace; kind: 'move' | 'copy' },
  context: ApiContext,
  signal: AbortSignal,
): Promise<CommitResult> {
  // Whether it may be taken away is found out before anything is changed.
  const taken = kind === 'move' ? await writableEntryAt(from, context, signal) : undefined
  const target = await writableEntryAt(to, context, signal)
  const targetSlot = target.folder.capability.slot
  const view = await viewAt(from, context, signal)
  const shown = await shownAt(view, from.path)
  if (kind === 'move' && shown.entry.kind === 'linked-folder') {
    // What is moved into a folder that only it leads to is nowhere any more.
    if (equalBytes(shown.entry.slot, targetSlot)) throw new IntoItselfError(formatPath(from.path))
  }
  const located = await locate(from, context, signal)
  if (located !== undefined && equalBytes(located.slot, targetSlot)) {
    return await target.folder.edit([{ kind, from: located.path, to: target.path }], { signal })
  }
  await transplant({ view, shown, path: from.path }, target, signal)
  const removal = taken === undefined ? [] : [{ kind: 'remove' as const, path: taken.path }]
  return await (taken ?? target).folder.edit(removal, { signal })
}

/** Which folder the source lies in, and where in there; none of a snapshot. */
async function locate(
  place: FoundPlace,
  context: ApiContext,
  signal: AbortSignal,
): Promise<{ readonly slot: SlotKey; readonly path: Path } | undefined> {
  const name = place.path.at(-1)
  if (name === undefined || place.capability.kind === 'snapshot-read') return undefined
  const reader = await readerAt(place, context)
  const { folder, path } = await reader.locate(place.path.slice(0, -1), { signal })
  return { slot: folder.capability.slot, path: [...path, name] }
}
