import { fromHex, toHex } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'

/** Bytes of an account's key, by which accounts are named on the wire. */
export const ACCOUNT_BYTES = 32

/** An account as storage nodes keep it in their books: its key as 64 hexadecimal digits. */
export function accountName(key: Uint8Array): string {
  assert(key.length === ACCOUNT_BYTES, 'the key of an account has 32 bytes')
  return toHex(key)
}

/** @returns undefined for a name that no key has */
export function accountOfName(name: string): Uint8Array | undefined {
  return /^[0-9a-f]{64}$/.test(name) ? fromHex(name) : undefined
}
