import { toHex, utf8 } from '../../foundation/bytes.ts'
import { sha256Parts } from '../../crypto/hash.ts'
import { encodeDots } from '../encoding/dots-codec.ts'
import type { Shown } from '../read.ts'
import { bareBytes } from '../tree/entry-codec.ts'

/**
 * Names what is shown at a path, as a short text that changes whenever any of it does: for a writer who wants to
 * replace just what they have seen. Of a directory all that is below it counts.
 */
export function versionOf({ name, entry }: Shown): string {
  const parts = [utf8(name), SEPARATOR, encodeDots(entry.dots), bareBytes(entry)]
  return toHex(sha256Parts(parts).subarray(0, VERSION_BYTES))
}

/** Names have no zero character. */
const SEPARATOR = new Uint8Array(1)
const VERSION_BYTES = 16
