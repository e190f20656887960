import type { CommitResult, FolderReader } from '../../folders/service/folder.ts'
import { systemClock } from '../../foundation/system.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { writerAt } from '../folders/powers.ts'
import { formatTime, timeArgument } from '../folders/times.ts'
import { restoreMutable } from '../mutable/mutable-history.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import type { Terminal } from '../terminal.ts'

export interface RestoreRequest {
  readonly place: string
  /** See {@link timeArgument}; by default what is gone comes back as it was last. */
  readonly at?: string | undefined
}

/** Makes a path, or a whole folder, what it was at a time. What it was until now stays in the history. */
export async function restore(request: RestoreRequest, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context
  const at = request.at === undefined ? undefined : timeArgument(request.at, systemClock.nowMs())
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  await using client = await openFolderClient(context, home)
  const { capability, label } = place
  if (capability.kind === 'mutable-write') {
    if (at === undefined) throw saySince(place)
    const { durability, timeMs } = await restoreMutable(
      capability,
      { at, label },
      { client, signal },
    )
    tell({ durability, conflicts: [] }, { place, timeMs, terminal })
    return EXIT.ok
  }
  const writer = await writerAt(place, { client })
  if (at === undefined) {
    const { path } = place
    const isThere = (await (await writer.now({ signal })).stat(path)) !== undefined
    if (isThere) throw saySince(place)
    tell(await writer.undelete(path, { signal }), { place, timeMs: undefined, terminal })
    return EXIT.ok
  }
  const timeMs =
    at.kind === 'time' ? at.timeMs : await timeOf(writer, place, { index: at.index, signal })
  tell(await writer.restore(place.path, timeMs, { signal }), { place, timeMs, terminal })
  return EXIT.ok
}

/** The time of what `history` shows under a number. */
async function timeOf(
  reader: FolderReader,
  { path, label }: Place,
  { index, signal }: { index: number; signal: AbortSignal },
): Promise<number> {
  const versions =
    path.length === 0 ? reader.history({ signal }) : reader.historyOf(path, { signal })
  let at = 0
  for await (const { timeMs } of versions) {
    if (at === index) return timeMs
    at += 1
  }
  throw new CliError({
    exit: EXIT.inputMissing,
    code: 'no-state-then',
    message: `The history of ${label} has no number ${index}: its last is ${at - 1}.`,
  })
}

function saySince({ capability, label, path }: Place): CliError {
  const isFile = capability.kind === 'mutable-write'
  const what = isFile ? 'is there' : path.length === 0 ? 'is a whole folder' : 'is there'
  return usageError(
    `${label} ${what}. Say which moment it is to be restored to, as in --at "2h ago"; "hayloft history ${label}" shows those there are.`,
  )
}

function tell(
  { durability, conflicts }: Pick<CommitResult, 'durability' | 'conflicts'>,
  { place, timeMs, terminal }: { place: Place; timeMs: number | undefined; terminal: Terminal },
): void {
  const isUnchanged = durability === 'unchanged'
  if (terminal.json) {
    terminal.value({
      place: place.label,
      ...(timeMs === undefined ? {} : { at: new Date(timeMs).toISOString() }),
      unchanged: isUnchanged,
      health: durability === 'degraded' ? 'degraded' : 'healthy',
      conflicts: conflicts.map((path) => path.join('/')),
    })
    return
  }
  const then =
    timeMs === undefined ? 'before it was removed' : `at ${formatTime(timeMs, { seconds: true })}`
  terminal.note(
    isUnchanged
      ? `${place.label} is what it was ${then}.`
      : `${place.label} is again what it was ${then}.`,
  )
}
