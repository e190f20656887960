import { sha256 } from '../../src/crypto/hash.ts'
import { concatBytes, utf8 } from '../../src/foundation/bytes.ts'

/** SHA-256("<seed> 0") ‖ SHA-256("<seed> 1") ‖ … cut to `length`: easy to make in any language. */
export function seededBytes(seed: string, length: number): Uint8Array {
  const parts: Uint8Array[] = []
  for (let at = 0; at * 32 < length; at++) parts.push(sha256(utf8(`${seed} ${at}`)))
  return concatBytes(parts).slice(0, length)
}
