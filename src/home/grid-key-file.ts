import type { AccountSecret } from '../capabilities/account.ts'
import { gridIdOf } from '../capabilities/grid-keys.ts'
import { slotWriteKey, type SlotWriteKey } from '../capabilities/slot-keys.ts'
import { openBox, sealBox } from '../crypto/aead.ts'
import { deriveKey } from '../crypto/hash.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import { equalBytes, fromHex, toHex, utf8 } from '../foundation/bytes.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import type { HomeFiles } from './layout.ts'
import { damaged, readJsonFile, writeJsonFile } from './json-file.ts'
import { gridKeyOfFounder } from './own-statements.ts'

/**
 * The key of the grid, where this home has it: of a founder it follows from the account, and an invite for admins holds it.
 *
 * @returns undefined if its person is no admin
 * @throws HomeError if the file that holds it is damaged or belongs to another account
 */
export async function findGridKey(
  { gridKey: path }: Pick<HomeFiles, 'gridKey'>,
  account: AccountSecret,
  membership: Membership,
): Promise<SlotWriteKey | undefined> {
  const founders = gridKeyOfFounder(membership, account)
  if (founders !== undefined) return founders
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return undefined
  const nonce = fromHex(fields.text('nonce'))
  const sealed = fromHex(fields.text('sealed'))
  if (nonce?.length !== NONCE_BYTES || sealed === undefined) {
    throw damaged(path, 'it is not hexadecimal where it should be')
  }
  const key = openBox({ key: boxKeyOf(account), nonce, associatedData: ASSOCIATED_DATA }, sealed)
  if (key?.length !== KEY_BYTES) {
    throw damaged(path, 'it was changed, or written for another account')
  }
  const gridKey = slotWriteKey(key)
  return equalBytes(gridIdOf(gridKey), membership.gridId) ? gridKey : undefined
}

/** Keeps the key that an invite for admins holds, sealed under the account: a passphrase of the one protects the other. */
export async function writeGridKey(
  { gridKey: path }: Pick<HomeFiles, 'gridKey'>,
  gridKey: SlotWriteKey,
  { account, randomness }: { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  const nonce = randomness.bytes(NONCE_BYTES)
  const sealed = sealBox(
    { key: boxKeyOf(account), nonce, associatedData: ASSOCIATED_DATA },
    gridKey,
  )
  await writeJsonFile(path, FORMAT, { nonce: toHex(nonce), sealed: toHex(sealed) })
}

const FORMAT = { format: 'hayloft-grid-key', version: 1 }
const NONCE_BYTES = 24
const KEY_BYTES = 32
const ASSOCIATED_DATA = utf8(`${FORMAT.format} ${FORMAT.version}`)

function boxKeyOf(account: AccountSecret): Uint8Array {
  return deriveKey(account, KEY_LABELS.accountGridKey)
}
