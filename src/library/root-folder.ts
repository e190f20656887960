import { rootFolderOf } from '../capabilities/account.ts'
import type { Capability } from '../capabilities/capability.ts'
import { FolderMissingError } from '../folders/service/errors.ts'
import { equalBytes } from '../foundation/bytes.ts'
import type { Client } from './client.ts'

/**
 * Does something with a folder. The root folder of an account whose grid was out of reach when it was made is made when it
 * is first used.
 */
export async function orMakeRoot<T>(
  capability: Capability,
  { client, signal }: { readonly client: Client; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const root = rootFolderOf(client.account)
    const isRoot =
      capability.kind === 'folder-write' && equalBytes(capability.writeKey, root.writeKey)
    if (!(thrown instanceof FolderMissingError) || !isRoot) throw thrown
    await client.folders.ensure(root, { signal })
    return await work()
  }
}
