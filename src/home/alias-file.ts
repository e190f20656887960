import type { AccountSecret } from '../capabilities/account.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { readSealedNames, writeSealedNames, type NamedCapabilities } from './sealed-names.ts'

/** Names that the user of a home gave to capabilities, sorted. */
export type Aliases = NamedCapabilities

const SEALING = {
  format: { format: 'hayloft-aliases', version: 1 },
  label: KEY_LABELS.accountAliases,
}

/** `aliases.json`. @throws HomeError if it is damaged or belongs to another account */
export async function readAliases(path: string, account: AccountSecret): Promise<Aliases> {
  return await readSealedNames(path, SEALING, account)
}

export async function writeAliases(
  path: string,
  aliases: Aliases,
  options: { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  await writeSealedNames(path, aliases, { ...SEALING, ...options })
}
