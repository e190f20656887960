import { rootFolderOf, type AccountSecret } from '../../capabilities/account.ts'
import type { RootState } from '../../grid/care/memory.ts'
import { rootIdOf } from '../../grid/care/roots.ts'
import { readAliases } from '../../home/alias-file.ts'
import { HomeCareMemory } from '../../home/care-memory.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { HOME_ALIAS } from '../../home/opened-home.ts'
import type { SyncEntry } from '../../home/sync-file.ts'
import { verifyOf } from '../../library/care.ts'

/**
 * How safe what a sync keeps on the grid was when somebody looked after it last: the folder itself, or what it lies in.
 * @returns undefined where nobody has looked yet
 */
export async function durabilityOf(
  { capability, label }: SyncEntry,
  { files, account }: { readonly files: HomeFiles; readonly account: AccountSecret },
): Promise<RootState | undefined> {
  const memory = new HomeCareMemory(files.care)
  const own = await memory.root(rootIdOf({ capability: verifyOf(capability) }))
  if (own?.state !== undefined) return own.state
  const alias = /^([^:]+):/.exec(label)?.[1]
  if (alias === undefined) return undefined
  const above =
    alias === HOME_ALIAS
      ? rootFolderOf(account)
      : (await readAliases(files.aliases, account)).get(alias)
  if (above === undefined || above.kind === 'literal') return undefined
  return (await memory.root(rootIdOf({ capability: verifyOf(above) })))?.state
}
