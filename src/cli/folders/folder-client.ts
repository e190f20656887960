import type { HomeFiles } from '../../home/layout.ts'
import type { OpenedHome } from '../../home/opened-home.ts'
import type { Client } from '../../library/client.ts'
import { openOwnClient } from '../own-home.ts'
import type { Terminal } from '../terminal.ts'

/** What every command about folders works with. */
export interface CommandContext {
  readonly files: HomeFiles
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** What works with a client that is open. */
export interface ClientTools extends Omit<CommandContext, 'files'> {
  readonly client: Client
}

/** A client that tells its user when nodes show less of a folder than they did. */
export async function openFolderClient(
  { files, terminal, signal }: CommandContext,
  home: Pick<OpenedHome, 'files' | 'secrets'>,
): Promise<Client> {
  let isTold = false
  return await openOwnClient(files, signal, home, {
    onEvent() {
      if (isTold) return
      isTold = true
      terminal.note(
        'Warning: the storage nodes show an older state of a folder than this computer has seen. What it remembers ' +
          'was used and given back to them. If that happens again, some of them may be restored from a backup, or lie.',
      )
    },
  })
}
