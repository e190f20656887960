import { NotADirectoryError } from '../../folders/errors.ts'
import { formatPath } from '../../folders/names.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { readerAt } from '../folders/powers.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'

/** Prints the capability of a directory, or a whole folder, as it is now and for ever. Nothing is copied. */
export async function snapshot(
  request: { readonly place: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const reader = await readerAt(place, { client })
  const capability = await reader.snapshot(place.path, { signal }).catch((error: unknown) => {
    const isFile = error instanceof NotADirectoryError && error.path === formatPath(place.path)
    throw isFile ? fileRefusal(place) : error
  })
  const text = formatCapability(capability)
  if (terminal.json) {
    terminal.value({ place: place.label, kind: capability.kind, capability: text })
  } else {
    terminal.line(text)
  }
  return EXIT.ok
}

function fileRefusal({ label }: Place): CliError {
  return new CliError({
    exit: EXIT.inputMissing,
    code: 'not-a-directory',
    message: `${label} is no directory. Of a file, "hayloft capability ${label} --to read" prints what names it for good.`,
  })
}
