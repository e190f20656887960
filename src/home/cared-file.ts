import type { AccountSecret } from '../capabilities/account.ts'
import type { Capability, VerifyCapability } from '../capabilities/capability.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { readSealedNames, writeSealedNames } from './sealed-names.ts'

/** What a home looks after beside its own: by name, with no more than the power to verify it. */
export type Cared = ReadonlyMap<string, VerifyCapability>

const SEALING = {
  format: { format: 'hayloft-cared', version: 1 },
  label: KEY_LABELS.accountCared,
}

/** `cared.json`. @throws HomeError if it is damaged or belongs to another account */
export async function readCared(path: string, account: AccountSecret): Promise<Cared> {
  const named = await readSealedNames(path, SEALING, account)
  return new Map([...named].filter((pair): pair is [string, VerifyCapability] => isWeak(pair[1])))
}

export async function writeCared(
  path: string,
  cared: Cared,
  options: { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  await writeSealedNames(path, cared, { ...SEALING, ...options })
}

function isWeak({ kind }: Capability): boolean {
  return kind.endsWith('-verify')
}
