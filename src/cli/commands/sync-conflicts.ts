import { join } from 'node:path'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { openOwnHome } from '../own-home.ts'
import { chosenSyncs, openSyncControl } from '../sync/syncs.ts'
import { count, printableName } from '../terminal.ts'

/** Conflict copies in synced directories. */
export async function syncConflicts(
  request: { readonly directory: string | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const control = await openSyncControl(context, openOwnHome(files))
  const syncs = await chosenSyncs(control, request.directory)
  const conflicts = syncs.flatMap(({ directory, conflictPaths }) =>
    conflictPaths.map((path) => ({ directory, path })),
  )
  if (terminal.json) terminal.value({ conflicts })
  else if (conflicts.length === 0) terminal.line('There are no conflict copies.')
  else {
    for (const { directory, path } of conflicts) terminal.line(printableName(join(directory, path)))
    terminal.note(
      'Each is another version of the file whose name it begins with. Keep what you want of both, then remove or rename the copy.',
    )
  }
  return EXIT.ok
}

/** Undoes what was changed in a directory whose folder may only be read; without paths, tells what that is. */
export async function syncRevert(
  request: { readonly directory: string; readonly paths: readonly string[]; readonly all: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const control = await openSyncControl(context, openOwnHome(files))
  for (const sync of await chosenSyncs(control, request.directory)) {
    const { directory, unsent, unsentPaths } = sync
    if (!request.all && request.paths.length === 0) {
      if (terminal.json) terminal.value({ unsent: unsentPaths })
      else if (unsent === 0) terminal.line('Nothing here differs from the folder.')
      else {
        for (const path of unsentPaths) terminal.line(printableName(path))
        terminal.note('Name those that are to be as in the folder again, or say --all.')
      }
      continue
    }
    const paths = request.all ? 'all' : request.paths
    await control.revert(sync, paths)
    if (terminal.json) terminal.value({ directory, paths })
    else {
      const what = paths === 'all' ? count(unsent, 'change') : count(paths.length, 'path')
      terminal.line(
        `${what} of ${printableName(directory)} will be as in the folder again. ` +
          'What you had is kept in .hayloft/set-aside there.',
      )
      if (!control.isRunning) terminal.note('It is done when "hayloft start" runs.')
    }
  }
  return EXIT.ok
}
