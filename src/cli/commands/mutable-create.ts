import { formatCapability } from '../../capabilities/text.ts'
import { systemClock } from '../../foundation/system.ts'
import { SeenVersions } from '../../home/seen-versions.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { newAliasName, reserveAlias } from '../folders/new-alias.ts'
import { mutableVersionOf, seenPlaceOf } from '../mutable/mutable-version.ts'
import { openOwnHome } from '../own-home.ts'
import { openProgress } from '../progress.ts'
import { openSource } from '../source.ts'
import { Totals } from '../totals.ts'

/** Makes a file that changes: empty, or with the content of a local file or of standard input. */
export async function mutableCreate(
  request: { readonly file?: string | undefined; readonly alias?: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal, files } = context
  const alias = newAliasName(request.alias)
  await using source = request.file === undefined ? undefined : await openSource(request.file)
  const home = openOwnHome(files)
  const giveAlias = await reserveAlias(alias, { files, account: await home.account() })
  await using client = await openFolderClient(context, home)
  const label = `Putting ${request.file ?? 'nothing'}`
  const progress = await openProgress(terminal, { label, clock: systemClock })
  const totals = new Totals(progress)
  totals.expect(source?.sizeBytes ?? 0)
  const chunks = totals.counting(source?.chunks ?? nothing())
  const created = await client.mutableFiles.create(chunks, { signal }).finally(() => {
    progress.stop()
  })
  const { capability, durability } = created
  await giveAlias(capability)
  const version = mutableVersionOf(created.version)
  using seen = SeenVersions.open(files.seenVersions, client.account)
  seen.remember(seenPlaceOf(capability), version)
  const text = formatCapability(capability)
  if (terminal.json) {
    const health = durability === 'degraded' ? 'degraded' : 'healthy'
    const name = alias === undefined ? {} : { alias }
    const { sizeBytes: size } = created.version
    terminal.value({ kind: capability.kind, capability: text, ...name, size, version, health })
    return EXIT.ok
  }
  terminal.line(text)
  terminal.note(
    alias === undefined
      ? 'Whoever has this capability can change the file: hayloft put FILE CAP. Nothing else leads to it. To find it again: hayloft ln CAP home:NAME'
      : `On this computer it is ${alias}: now. To change it: hayloft put FILE ${alias}: To have it on all of yours: hayloft ln ${alias}: home:${alias}`,
  )
  return EXIT.ok
}

// eslint-disable-next-line typescript/require-await -- a source is an async iterable
async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* []
}
