import type {
  MutableReadCapability,
  MutableWriteCapability,
} from '../../capabilities/capability.ts'
import { slotKeyOf } from '../../capabilities/slot-keys.ts'
import { sha256Parts } from '../../crypto/hash.ts'
import { toHex, viewOf } from '../../foundation/bytes.ts'
import type { MutableFileState } from '../../grid/mutable/files.ts'
import { contentName, type FileVersion } from '../../grid/mutable/version.ts'
import type { SeenPlace } from '../../home/seen-versions.ts'
import type { Terminal } from '../terminal.ts'

/** Names one content of a file that changes, as `--if-version` takes it: 32 digits. */
export function mutableVersionOf({
  content,
  modifiedMs,
}: Pick<FileVersion, 'content' | 'modifiedMs'>): string {
  const time = new Uint8Array(8)
  viewOf(time).setBigUint64(0, BigInt(modifiedMs))
  return toHex(sha256Parts([contentName(content), time]).subarray(0, VERSION_BYTES))
}

/** Where a home remembers which version it saw last. */
export function seenPlaceOf(capability: MutableReadCapability | MutableWriteCapability): SeenPlace {
  const slot =
    capability.kind === 'mutable-write' ? slotKeyOf(capability.writeKey) : capability.slot
  return { slot, path: [] }
}

/** Tells whoever looks at a file that changes what they must know of it. */
export function tellState(state: MutableFileState, place: string, terminal: Terminal): void {
  const label = place.replace(/:$/, '')
  if (state.rollback !== undefined) {
    terminal.note(
      `${label}: storage nodes show an older state than this device has seen: they have lost or hide something. What was seen is shown, and was given back to them.`,
    )
  }
  if (state.freshness === 'maybe-stale') {
    terminal.note(
      `${label}: too few storage nodes answered to be sure that this is the newest content.`,
    )
  }
  const { length } = state.conflicts
  if (length > 0) {
    terminal.note(
      `${label} was written in ${length + 1} places at once; this is the newest. "hayloft history" tells of the others.`,
    )
  }
}

const VERSION_BYTES = 16
