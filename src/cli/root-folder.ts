import { existsSync } from 'node:fs'
import { rootFolderOf } from '../capabilities/account.ts'
import type { HomeSecrets } from '../home/key-store.ts'
import { failureOf } from './failures.ts'
import { openFolderClient, type CommandContext } from './folders/folder-client.ts'

/**
 * `no-grid`: the home belongs to no grid that could hold it. `unreachable`: too few nodes of the grid answer now; the
 * first change of it makes it as well. `made`: it is on the grid.
 */
export type RootFolderState = 'no-grid' | 'unreachable' | 'made'

/**
 * Makes `home:`, the account's root folder, where it is not there yet. `init` and `recover` call this and nothing else
 * does, so whatever a new account needs on the grid is made here.
 */
export async function ensureRootFolder(
  secrets: HomeSecrets,
  context: CommandContext,
): Promise<RootFolderState> {
  if (!existsSync(context.files.grid)) return 'no-grid'
  try {
    const home = { files: context.files, secrets: async () => await Promise.resolve(secrets) }
    await using client = await openFolderClient(context, home)
    await client.folders.ensure(rootFolderOf(secrets.account), { signal: context.signal })
    return 'made'
  } catch (thrown) {
    context.signal.throwIfAborted()
    if (failureOf(thrown).code === 'internal') throw thrown
    return 'unreachable'
  }
}
