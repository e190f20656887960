import type { AccountSecret } from '../capabilities/account.ts'
import type { Capability } from '../capabilities/capability.ts'
import { formatCapability, parseCapability } from '../capabilities/text.ts'
import { openBox, sealBox } from '../crypto/aead.ts'
import { deriveKey } from '../crypto/hash.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import { fromHex, toHex, utf8 } from '../foundation/bytes.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { damaged, readJsonFile, writeJsonFile } from './json-file.ts'

/** Names that the user of a home gave to capabilities, sorted. */
export type Aliases = ReadonlyMap<string, Capability>

/**
 * `aliases.json`. It is sealed under a key that follows from the account's secret, so a passphrase that protects the one
 * protects the other. @throws HomeError if it is damaged or belongs to another account
 */
export async function readAliases(path: string, account: AccountSecret): Promise<Aliases> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return new Map()
  const nonce = fromHex(fields.text('nonce'))
  const sealed = fromHex(fields.text('sealed'))
  if (nonce?.length !== NONCE_BYTES || sealed === undefined) {
    throw damaged(path, 'it is not hexadecimal where it should be')
  }
  const plain = openBox({ key: keyOf(account), nonce, associatedData: ASSOCIATED_DATA }, sealed)
  if (plain === undefined) throw damaged(path, 'it was changed, or written for another account')
  return aliasesIn(Buffer.from(plain).toString('utf8'), path)
}

export async function writeAliases(
  path: string,
  aliases: Aliases,
  { account, randomness }: { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  const sorted = [...aliases].sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = sorted.map(([name, capability]) => [name, formatCapability(capability)])
  const nonce = randomness.bytes(NONCE_BYTES)
  const box = { key: keyOf(account), nonce, associatedData: ASSOCIATED_DATA }
  const sealed = sealBox(box, utf8(JSON.stringify(texts)))
  await writeJsonFile(path, FORMAT, { nonce: toHex(nonce), sealed: toHex(sealed) })
}

const FORMAT = { format: 'hayloft-aliases', version: 1 }
const NONCE_BYTES = 24
const ASSOCIATED_DATA = utf8(`${FORMAT.format} ${FORMAT.version}`)

function keyOf(account: AccountSecret): Uint8Array {
  return deriveKey(account, KEY_LABELS.accountAliases)
}

/** Only our own program can have sealed it, but perhaps a later one, which knows other kinds. */
function aliasesIn(text: string, path: string): Aliases {
  const pairs: unknown = JSON.parse(text)
  if (!Array.isArray(pairs)) throw damaged(path, 'it does not hold a list')
  return new Map(
    pairs.map((pair: unknown): [string, Capability] => {
      if (!Array.isArray(pair)) throw damaged(path, 'it does not hold names and capabilities')
      const [name, capability] = pair as unknown[]
      if (typeof name !== 'string' || typeof capability !== 'string') {
        throw damaged(path, 'it does not hold names and capabilities')
      }
      return [name, parseCapability(capability)]
    }),
  )
}
