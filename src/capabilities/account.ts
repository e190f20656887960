import { deriveKey } from '../crypto/hash.ts'
import { publicKeyOf } from '../crypto/signatures.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import { assert } from '../foundation/error.ts'
import type { Branded } from '../foundation/bytes.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { FolderWriteCapability } from './capability.ts'
import { slotWriteKey } from './slot-keys.ts'

/** All that a person has on the grid follows from these 32 bytes. As text they are the recovery key. */
export type AccountSecret = Branded<Uint8Array, 'AccountSecret'>

const ACCOUNT_SECRET_BYTES = 32

export function accountSecret(bytes: Uint8Array): AccountSecret {
  assert(bytes.length === ACCOUNT_SECRET_BYTES, 'the secret of an account has 32 bytes')
  return bytes as AccountSecret
}

export function newAccountSecret(randomness: Randomness): AccountSecret {
  return accountSecret(randomness.bytes(ACCOUNT_SECRET_BYTES))
}

/** What an account is known by: the Ed25519 public key of `KDF(secret, "account/sign")`, 32 bytes. */
export function accountKeyOf(secret: AccountSecret): Uint8Array {
  return publicKeyOf(deriveKey(secret, KEY_LABELS.account))
}

/** The account's root folder, `home:`, which leads to all others: W = `KDF(secret, "account/root")`. */
export function rootFolderOf(secret: AccountSecret): FolderWriteCapability {
  return { kind: 'folder-write', writeKey: slotWriteKey(deriveKey(secret, KEY_LABELS.accountRoot)) }
}
