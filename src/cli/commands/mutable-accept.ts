import type { MutableWriteCapability } from '../../capabilities/capability.ts'
import type { Client } from '../../library/client.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { tellAccepted } from '../folders/accepted.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { writableEntryAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'

/** Makes the older content of a file that changes its present one, where nodes have gone back to it and the newer one is gone. */
export async function mutableAccept(
  request: { readonly place: string; readonly force: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const capability = await mutableAt(place, client, signal)
  const { force } = request
  const accepted = await client.mutableFiles.acceptOlder(capability, { force, signal })
  // Of an alias alone without its colon, for others follow.
  tellAccepted(accepted, { label: place.label.replace(/:$/, ''), terminal })
  return EXIT.ok
}

/** What the place is itself, or what is linked there. @throws CliError if it is no file that changes */
async function mutableAt(
  place: Place,
  client: Client,
  signal: AbortSignal,
): Promise<MutableWriteCapability> {
  const { capability, path, label } = place
  if (capability.kind === 'mutable-write') return capability
  if (path.length > 0) {
    const at = await writableEntryAt(place, { client, signal })
    const now = await at.folder.now({ signal })
    if ((await now.stat(at.path))?.entry.kind === 'linked-file') {
      const linked = await now.capability(at.path, 'write')
      if (linked.kind === 'mutable-write') return linked
    }
  }
  throw usageError(
    `${label} is no file that changes and that you may write. For a folder it is "hayloft folder accept".`,
  )
}
