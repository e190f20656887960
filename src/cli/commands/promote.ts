import { NotADirectoryError } from '../../folders/errors.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { writerAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { usageError, type CliError } from '../failures.ts'
import { placeArgument, type Place } from '../paths/place.ts'

/** Makes a directory a folder of its own, linked in its place, and prints the capability to write it. */
export async function promote(
  request: { readonly place: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  if (place.path.length === 0) throw isOneAlready(place)
  await using client = await openFolderClient(context, home)
  const writer = await writerAt(place, { client })
  const capability = await writer.promote(place.path, { signal }).catch(async (error: unknown) => {
    if (!(error instanceof NotADirectoryError)) throw error
    const shown = await (await writer.now({ signal })).stat(place.path)
    throw shown?.entry.kind === 'linked-folder' ? isOneAlready(place) : error
  })
  const text = formatCapability(capability)
  if (terminal.json) {
    terminal.value({ place: place.label, kind: capability.kind, capability: text })
    return EXIT.ok
  }
  terminal.line(text)
  terminal.note(
    `${place.label} is a folder of its own now, linked in its place. Whoever gets this capability can change what is in ` +
      `it; to let someone only read: hayloft capability ${place.label} --to read`,
  )
  return EXIT.ok
}

function isOneAlready({ label }: Place): CliError {
  return usageError(
    `${label} is a folder of its own already. To share it: hayloft capability ${label} --to write`,
  )
}
