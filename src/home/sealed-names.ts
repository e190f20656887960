import type { AccountSecret } from '../capabilities/account.ts'
import type { Capability } from '../capabilities/capability.ts'
import { formatCapability, parseCapability } from '../capabilities/text.ts'
import type { KeyLabel } from '../crypto/tags.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { damaged, type FileFormat } from './json-file.ts'
import { readSealedFile, writeSealedFile } from './sealed-file.ts'

/** Capabilities under names. */
export type NamedCapabilities = ReadonlyMap<string, Capability>

/** A kind of sealed file that holds them. Each has a key of its own. */
export interface Sealing {
  readonly format: FileFormat
  readonly label: KeyLabel
}

/** @throws HomeError if the file is damaged or belongs to another account */
export async function readSealedNames(
  path: string,
  sealing: Sealing,
  account: AccountSecret,
): Promise<NamedCapabilities> {
  const plain = await readSealedFile(path, { ...sealing, account })
  return plain === undefined ? new Map() : namesIn(plain, path)
}

/** In the order of the names. */
export async function writeSealedNames(
  path: string,
  named: NamedCapabilities,
  options: Sealing & { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  const sorted = [...named].sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = sorted.map(([name, capability]) => [name, formatCapability(capability)])
  await writeSealedFile(path, JSON.stringify(texts), options)
}

/** Only our own program can have sealed it, but perhaps a later one, which knows other kinds. */
function namesIn(text: string, path: string): NamedCapabilities {
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
