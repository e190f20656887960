import { fromHex, toHex, type Branded } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'

/**
 * Who a person is: the raw Ed25519 public key of their account (32 bytes) as 64 lower-case hexadecimal digits, so that
 * it can be the key of a map. Not to be confused with a {@link NodeKey}, which is one of their devices.
 */
export type AccountKey = Branded<string, 'AccountKey'>

export function accountKey(bytes: Uint8Array): AccountKey {
  assert(bytes.length === ACCOUNT_KEY_BYTES, 'the key of an account has 32 bytes')
  return toHex(bytes) as AccountKey
}

export function accountKeyBytes(key: AccountKey): Uint8Array {
  const bytes = fromHex(key)
  assert(bytes !== undefined, 'the key of an account is hexadecimal')
  return bytes
}

const ACCOUNT_KEY_BYTES = 32
