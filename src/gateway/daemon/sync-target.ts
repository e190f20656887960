import type { FolderReadCapability, FolderWriteCapability } from '../../capabilities/capability.ts'
import { slotKeyOf } from '../../capabilities/slot-keys.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { viewAt, writerAt, type FoundPlace, type PlaceContext } from '../places.ts'
import { SyncRefusedError } from './sync-errors.ts'

export type SyncableFolder = FolderWriteCapability | FolderReadCapability

/**
 * The folder that a directory is to be synced with. What a place names that is no folder of its own becomes one: a directory is
 * promoted, and where there is nothing a new folder is made and linked.
 */
export async function folderAt(
  place: FoundPlace & { readonly label: string },
  context: PlaceContext,
  signal: AbortSignal,
): Promise<{ capability: SyncableFolder; isNew: boolean }> {
  const { folders } = context.client
  if (place.path.length === 0) return { capability: syncable(place), isNew: false }
  const view = await viewAt(place, context, signal)
  const shown = await view.stat(place.path)
  switch (shown?.entry.kind) {
    case undefined: {
      const writer = await writerAt(place, context)
      const { capability } = await folders.create({ signal })
      await writer.link(place.path, capability, { signal })
      return { capability, isNew: true }
    }
    case 'directory': {
      const writer = await writerAt(place, context)
      return { capability: await writer.promote(place.path, { signal }), isNew: false }
    }
    case 'linked-folder': {
      const power = shown.entry.sealedWriteKey === undefined ? 'read' : 'write'
      const capability = await view.capability(place.path, power)
      if (capability.kind === 'folder-write' || capability.kind === 'folder-read') {
        return { capability, isNew: false }
      }
      throw notSyncable(place)
    }
    case 'file':
    case 'literal':
    case 'symlink':
    case 'linked-file':
      throw notSyncable(place)
  }
}

/** Which folder a capability is for, whatever power it gives. */
export function slotOf(capability: SyncableFolder): SlotKey {
  return capability.kind === 'folder-write' ? slotKeyOf(capability.writeKey) : capability.slot
}

function syncable(place: FoundPlace & { readonly label: string }): SyncableFolder {
  const { capability } = place
  if (capability.kind === 'folder-write' || capability.kind === 'folder-read') return capability
  throw notSyncable(place)
}

function notSyncable({ label }: { readonly label: string }): SyncRefusedError {
  return new SyncRefusedError(
    'not-syncable',
    `${label} cannot be synced: only folders can, by a capability that writes or at least reads. For one file use put and get.`,
  )
}
