import { basename } from 'node:path'
import { checkName } from '../../folders/names.ts'
import { sleep } from '../../foundation/clock.ts'
import { systemClock } from '../../foundation/system.ts'
import { checkDirectory } from '../../gateway/daemon/sync-entries.ts'
import type { SyncChoice } from '../../gateway/daemon/sync-list.ts'
import type { SyncReport } from '../../gateway/daemon/sync-report.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { openStatusLine } from '../progress.ts'
import { choiceText } from '../sync/choice-text.ts'
import { chosenSyncs, openSyncControl, type SyncControl } from '../sync/syncs.ts'
import { workLine, workText } from '../sync/work-text.ts'
import { count, printableName } from '../terminal.ts'

/** Lets a directory be kept in step with a folder of the grid from now on. */
export async function syncAdd(
  request: {
    readonly directory: string
    readonly target: string | undefined
    readonly choice: SyncChoice
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const home = openOwnHome(files)
  const control = await openSyncControl(context, home)
  // A directory that cannot be synced is found out before anything is asked.
  const given = await checkDirectory(request.directory, await control.all(), files)
  const named = request.target ?? `home:${checkName(basename(given).normalize('NFC'))}`
  const place = await placeArgument(named, home.findAlias)
  const { sync, isNew } = await control.add(given, place, request.choice)
  const { directory, folder, mayWrite } = sync
  if (terminal.json) {
    terminal.value({ directory, folder, isNew, mayWrite })
    return EXIT.ok
  }
  terminal.line(`${directory} is synced with ${folder}${isNew ? ', a new folder' : ''}.`)
  if (!mayWrite) {
    terminal.note('You may read that folder only: what you change in the directory stays there.')
  }
  if (!control.isRunning) terminal.note('It begins when "hayloft start" runs.')
  return EXIT.ok
}

/** Ends a sync. Files stay where they are, on both sides. */
export async function syncRemove(
  request: { readonly directory: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal } = context
  const control = await openSyncControl(context, openOwnHome(context.files))
  for (const sync of await chosenSyncs(control, request.directory)) {
    await control.remove(sync)
    const { directory, folder } = sync
    if (terminal.json) terminal.value({ directory, folder })
    else {
      terminal.line(
        `${directory} is not synced any more. Its files stay, and so do those in ${folder}.`,
      )
    }
  }
  return EXIT.ok
}

export async function syncPause(
  request: {
    readonly directory: string | undefined
    readonly isPaused: boolean
    readonly allowRemovals?: boolean | undefined
  },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal } = context
  const control = await openSyncControl(context, openOwnHome(context.files))
  const { isPaused, allowRemovals = false } = request
  const chosen = await chosenSyncs(control, request.directory)
  for (const sync of chosen) await control.pause(sync, { isPaused, allowRemovals })
  const directories = chosen.map(({ directory }) => directory)
  if (terminal.json) terminal.value({ directories, isPaused })
  else if (directories.length === 0) terminal.line('Nothing is synced.')
  else for (const each of directories) terminal.line(`${each}: ${isPaused ? 'paused' : 'goes on'}.`)
  return EXIT.ok
}

/** How syncs fare. With `wait` it returns once all of them agree, or wait for their user. */
export async function syncStatus(
  request: { readonly directory: string | undefined; readonly wait: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const control = await openSyncControl(context, openOwnHome(files))
  const mustWait = request.wait && control.isRunning
  const syncs = mustWait
    ? await syncsAtRest(control, request.directory, context)
    : await chosenSyncs(control, request.directory)
  const { isRunning } = control
  if (terminal.json) terminal.value({ isRunning, syncs: syncs.map(describe) })
  else tell(syncs, { isRunning, context })
  return syncs.every((sync) => isInSync(sync, 0)) ? EXIT.ok : EXIT.degraded
}

/** Has both sides looked at, and waits until there is nothing left to wait for. */
async function syncsAtRest(
  control: SyncControl,
  directory: string | undefined,
  { terminal, signal }: CommandContext,
): Promise<readonly SyncReport[]> {
  const sinceMs = systemClock.nowMs()
  let syncs = await chosenSyncs(control, directory)
  for (const sync of syncs) if (sync.state !== 'paused') await control.look(sync)
  const line = await openStatusLine(terminal)
  try {
    while (!syncs.every((sync) => isAtRest(sync, sinceMs))) {
      line.show(workLine(syncs) ?? { label: '', text: 'Waiting until all is in sync' })
      await sleep(systemClock, WAIT_INTERVAL_MS, signal)
      syncs = await chosenSyncs(control, directory)
    }
  } finally {
    line.stop()
  }
  return syncs
}

const WAIT_INTERVAL_MS = 100

/** Since a moment: a pass that began before may not have seen what was changed until then. */
function isInSync({ state, lastSync }: SyncReport, sinceMs: number): boolean {
  if (state === 'paused') return sinceMs > 0
  return state === 'in-sync' && Date.parse(lastSync ?? '') >= sinceMs
}

/** Whether there is nothing to wait for. */
function isAtRest(sync: SyncReport, sinceMs: number): boolean {
  const isHeld = sync.state === 'held' && Date.parse(sync.lastSync ?? '') >= sinceMs
  return isHeld || isInSync(sync, sinceMs)
}

/** The keys are part of the command line's interface. */
function describe({
  id: _id,
  lastSync,
  message,
  work,
  mayVanish,
  households,
  ...rest
}: SyncReport): object {
  return {
    ...rest,
    ...(mayVanish !== null && { mayVanish, households }),
    ...(lastSync !== null && { lastSync }),
    ...(message !== '' && { message }),
    ...(work !== null && { work }),
  }
}

function tell(
  syncs: readonly SyncReport[],
  { isRunning, context: { terminal } }: { isRunning: boolean; context: CommandContext },
): void {
  if (syncs.length === 0) terminal.line('Nothing is synced. Begin with: hayloft sync add DIRECTORY')
  for (const sync of syncs) {
    terminal.line(`${printableName(sync.directory)} ⇄ ${sync.folder}: ${stateText(sync)}`)
    const choice = choiceText(sync)
    if (choice !== undefined) terminal.line(`  Synced is ${choice}.`)
    const safety = safetyText(sync)
    if (safety !== undefined) terminal.line(`  ${safety}`)
    if (sync.message !== '') terminal.line(`  ${sync.message}`)
    if (sync.conflicts > 0) {
      terminal.line(
        `  ${count(sync.conflicts, 'conflict copy', 'conflict copies')} to look at: hayloft sync conflicts`,
      )
    }
    if (sync.unsent > 0) {
      terminal.line(
        `  ${count(sync.unsent, 'change')} of yours not in the folder, which you may only read. To undo: hayloft sync revert`,
      )
    }
    for (const problem of sync.problems) terminal.line(`  ${printableName(problem)}`)
    if (sync.degraded !== '') terminal.line(`  Changes are noticed late: ${sync.degraded}.`)
  }
  if (syncs.length > 0 && !isRunning) {
    terminal.note('Nothing is being synced now: "hayloft start" does it.')
  }
}

/** As it was when somebody looked after the folder last. */
function safetyText({ mayVanish, households }: SyncReport): string | undefined {
  if (mayVanish === null || households === null) return undefined
  const of = count(households, 'household')
  return mayVanish > 0
    ? `Safe: any ${mayVanish} of its ${of} may vanish and all of it can still be read.`
    : `At risk, with ${of}: "hayloft health" tells what would help.`
}

function stateText({ state, lastSync, pending, work }: SyncReport): string {
  switch (state) {
    case 'paused':
      return 'paused'
    case 'never-synced':
      return 'not synced yet'
    case 'in-sync':
      return lastSync === null ? 'in sync' : `in sync, ${new Date(lastSync).toLocaleString('sv')}`
    case 'syncing':
      return work === null ? 'syncing' : workText(work)
    case 'waiting':
      return `${count(pending, 'change')} to go`
    case 'held':
      return 'waits for you'
    case 'failed':
      return 'cannot be synced now, and is tried again'
  }
}
