import type { HomeFiles } from '../home/layout.ts'
import { openHome, type OpenedHome } from '../home/opened-home.ts'
import { openClient, type Client, type ClientOptions } from '../library/client.ts'
import { noteRemoval } from './failures.ts'
import { askPassphrase } from './passphrase.ts'

/** The home that a command works with. Its passphrase, if it has one, is asked for in the terminal. */
export function openOwnHome(files: HomeFiles): OpenedHome {
  return openHome(files, askPassphrase)
}

/** @param home - where the command has opened it already, so that no passphrase is asked for twice */
export async function openOwnClient(
  files: HomeFiles,
  signal: AbortSignal,
  home: Pick<OpenedHome, 'files' | 'secrets'> = openOwnHome(files),
  options: ClientOptions = {},
): Promise<Client> {
  return await openClient(home, signal, { onRemoved: noteRemoval, ...options })
}
