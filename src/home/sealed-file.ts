import type { AccountSecret } from '../capabilities/account.ts'
import { openBox, sealBox } from '../crypto/aead.ts'
import { deriveKey } from '../crypto/hash.ts'
import type { KeyLabel } from '../crypto/tags.ts'
import { fromHex, toHex, utf8 } from '../foundation/bytes.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { damaged, readJsonFile, writeJsonFile } from './json-file.ts'

/**
 * A file of a home whose text is sealed under a key that follows from the account's secret, so that a passphrase which
 * protects the one protects the other.
 */
export interface Sealing {
  readonly format: { readonly format: string; readonly version: number }
  readonly label: KeyLabel
  readonly account: AccountSecret
}

const NONCE_BYTES = 24

/** @returns undefined if there is no such file. @throws HomeError if it is damaged or belongs to another account */
export async function readSealedFile(path: string, sealing: Sealing): Promise<string | undefined> {
  const fields = await readJsonFile(path, sealing.format)
  if (fields === undefined) return undefined
  const nonce = fromHex(fields.text('nonce'))
  const sealed = fromHex(fields.text('sealed'))
  if (nonce?.length !== NONCE_BYTES || sealed === undefined) {
    throw damaged(path, 'it is not hexadecimal where it should be')
  }
  const plain = openBox({ ...boxOf(sealing), nonce }, sealed)
  if (plain === undefined) throw damaged(path, 'it was changed, or written for another account')
  return Buffer.from(plain).toString('utf8')
}

export async function writeSealedFile(
  path: string,
  text: string,
  { randomness, ...sealing }: Sealing & { readonly randomness: Randomness },
): Promise<void> {
  const nonce = randomness.bytes(NONCE_BYTES)
  const sealed = sealBox({ ...boxOf(sealing), nonce }, utf8(text))
  await writeJsonFile(path, sealing.format, { nonce: toHex(nonce), sealed: toHex(sealed) })
}

function boxOf({ account, label, format }: Sealing): {
  key: Uint8Array
  associatedData: Uint8Array
} {
  return {
    key: deriveKey(account, label),
    associatedData: utf8(`${format.format} ${format.version}`),
  }
}
