import type { AccountSecret } from '../capabilities/account.ts'
import type { Capability } from '../capabilities/capability.ts'
import { formatCapability, parseCapability } from '../capabilities/text.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { damaged } from './json-file.ts'
import { readSealedFile, writeSealedFile } from './sealed-file.ts'

/** Names that the user of a home gave to capabilities, sorted. */
export type Aliases = ReadonlyMap<string, Capability>

/** `aliases.json`. @throws HomeError if it is damaged or belongs to another account */
export async function readAliases(path: string, account: AccountSecret): Promise<Aliases> {
  const plain = await readSealedFile(path, { ...SEALING, account })
  return plain === undefined ? new Map() : aliasesIn(plain, path)
}

export async function writeAliases(
  path: string,
  aliases: Aliases,
  { account, randomness }: { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  const sorted = [...aliases].sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = sorted.map(([name, capability]) => [name, formatCapability(capability)])
  await writeSealedFile(path, JSON.stringify(texts), { ...SEALING, account, randomness })
}

const SEALING = {
  format: { format: 'hayloft-aliases', version: 1 },
  label: KEY_LABELS.accountAliases,
} as const

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
