import { EXIT, type ExitCode } from '../exit-codes.ts'
import { tellAccepted } from '../folders/accepted.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { locateWritable, writerAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'

/** Makes the older state of a folder its present one, where storage nodes have gone back to it and the newer one is gone. */
export async function folderAccept(
  request: { readonly place: string; readonly force: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const writer = await writerAt(place, { client })
  const { label } = place
  const isWhole = place.path.length === 0
  const folder = isWhole
    ? writer
    : (await locateWritable(writer, place.path, { label, signal })).folder
  const accepted = await folder.acceptOlder({ force: request.force, signal })
  tellAccepted(accepted, { label, terminal })
  return EXIT.ok
}
