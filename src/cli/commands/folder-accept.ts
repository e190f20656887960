import type { SetBackState } from '../../folders/service/errors.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { locateWritable, writerAt } from '../folders/powers.ts'
import { formatTime } from '../folders/times.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { printableName } from '../terminal.ts'

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
  const { force } = request
  const { kept, gone, durability } = await folder.acceptOlder({ force, signal })
  if (terminal.json) {
    const health = durability === 'degraded' ? 'degraded' : 'healthy'
    terminal.value({ place: label, kept: described(kept), gone: described(gone), health })
    return EXIT.ok
  }
  terminal.line(`${label} is now what it was: ${said(kept)}.`)
  terminal.note(
    `Gone is what it was last: ${said(gone)}. "hayloft history ${label}" still names it, and "hayloft restore" brings it ` +
      'back if nodes return that have it. What you have of it elsewhere, put again.',
  )
  return EXIT.ok
}

function described(state: SetBackState | undefined): object | null {
  if (state === undefined) return null
  const time = new Date(state.timeMs)
  return { time: Number.isNaN(time.getTime()) ? null : time.toISOString(), device: state.device }
}

function said(state: SetBackState | undefined): string {
  if (state === undefined) return 'an empty folder'
  const by = state.device === '' ? '' : ` by ${printableName(state.device)}`
  return `the state of ${formatTime(state.timeMs, { seconds: true })}${by}`
}
