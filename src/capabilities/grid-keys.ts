import { deriveKey, prf } from '../crypto/hash.ts'
import { KEY_LABELS, TAGS } from '../crypto/tags.ts'
import { accountKey, type AccountKey } from '../protocol/membership/account-key.ts'
import type { Signing } from '../protocol/membership/statements.ts'
import { accountKeyOf, type AccountSecret } from './account.ts'
import { slotKeyOf, slotWriteKey, type SlotWriteKey } from './slot-keys.ts'

/**
 * The key of a grid: a write key W, whose slot's key P is the grid id. Whoever has it is an admin: says who belongs to
 * the grid. That of a grid's founder follows from the secret of their account and a nonce, so the recovery key brings it
 * back: W = PRF(KDF(secret, "account/grids"), "hayloft1/grid-key", nonce).
 *
 * @param nonce - 32 random bytes that stand in the founder's own member statement; nothing secret
 */
export function founderGridKey(secret: AccountSecret, nonce: Uint8Array): SlotWriteKey {
  return slotWriteKey(prf(deriveKey(secret, KEY_LABELS.accountGrids), TAGS.gridKey, nonce))
}

/** The grid id. */
export function gridIdOf(gridKey: SlotWriteKey): Uint8Array {
  return slotKeyOf(gridKey)
}

/** As the grid: for statements about members, and for invites. */
export function signingAsGrid(gridKey: SlotWriteKey): Signing {
  return { gridId: gridIdOf(gridKey), seed: deriveKey(gridKey, KEY_LABELS.slotSign) }
}

/** As an account: for statements about its devices. */
export function signingAsAccount(secret: AccountSecret, gridId: Uint8Array): Signing {
  return { gridId, seed: deriveKey(secret, KEY_LABELS.account) }
}

/** {@link accountKeyOf} as the name of a member. */
export function memberAccountOf(secret: AccountSecret): AccountKey {
  return accountKey(accountKeyOf(secret))
}
