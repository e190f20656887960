import type { SyncChoice } from '../../gateway/daemon/sync-list.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { openOwnHome } from '../own-home.ts'
import { choiceText } from '../sync/choice-text.ts'
import { chosenSyncs, openSyncControl } from '../sync/syncs.ts'
import { printableName } from '../terminal.ts'

/** What is synced with what, whether it is being synced now or not. */
export async function syncList(context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  const control = await openSyncControl(context, openOwnHome(files))
  const all = await control.all()
  if (terminal.json) {
    const syncs = all.map(({ directory, folder, mayWrite, state, only, except }) => {
      return { directory, folder, mayWrite, isPaused: state === 'paused', only, except }
    })
    terminal.value({ syncs })
    return EXIT.ok
  }
  if (all.length === 0) terminal.line('Nothing is synced. Begin with: hayloft sync add DIRECTORY')
  for (const { directory, folder, mayWrite, state, ...choice } of all) {
    const chosen = choiceText(choice)
    const notes = [
      ...(mayWrite ? [] : ['may be read only']),
      ...(state === 'paused' ? ['paused'] : []),
      ...(chosen === undefined ? [] : [chosen]),
    ]
    const about = notes.length === 0 ? '' : ` (${notes.join('; ')})`
    terminal.line(`${printableName(directory)} ⇄ ${folder}${about}`)
  }
  return EXIT.ok
}

/** Changes what of a folder a directory has. Without a choice, all. */
export async function syncSelect(
  request: { readonly directory: string; readonly choice: SyncChoice },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const control = await openSyncControl(context, openOwnHome(files))
  for (const sync of await chosenSyncs(control, request.directory)) {
    const { directory, folder } = sync
    await control.select(sync, request.choice)
    if (terminal.json) {
      terminal.value({ directory, folder, ...request.choice })
      continue
    }
    const chosen = choiceText(request.choice)
    terminal.line(`${printableName(directory)} is synced: ${chosen ?? 'all'} of ${folder}.`)
    if (chosen !== undefined) {
      terminal.note('What is there already and is left out now stays as it is, on both sides.')
    }
  }
  return EXIT.ok
}
