import { NotAMemberError } from '../home/errors.ts'
import type { HomeFiles } from '../home/layout.ts'
import { openHome, type OpenedHome } from '../home/opened-home.ts'
import { readOwnGrid } from '../home/own-grid.ts'
import {
  joinNetwork,
  openClient,
  type Client,
  type ClientOptions,
  type SharedNetwork,
} from '../library/client.ts'
import { assert } from '../foundation/error.ts'
import { systemClock } from '../foundation/system.ts'
import { borrowNetwork } from './daemon/borrowed-network.ts'
import { noteRemoval } from './failures.ts'
import { askPassphrase } from './passphrase.ts'

/** The home that a command works with. Its passphrase, if it has one, is asked for in the terminal. */
export function openOwnHome(files: HomeFiles): OpenedHome {
  return openHome(files, askPassphrase)
}

export interface OwnClientOptions extends ClientOptions {
  /** For who looks at the network itself, or changes who belongs to the grid: not over the daemon's connections. */
  readonly withOwnHost?: boolean | undefined
}

/**
 * A client for a command: over the connections of the home's daemon while it runs, else over a host of its own.
 * @param home - where the command has opened it already, so that no passphrase is asked for twice
 */
export async function openOwnClient(
  files: HomeFiles,
  signal: AbortSignal,
  home: Pick<OpenedHome, 'files' | 'secrets'> = openOwnHome(files),
  { withOwnHost = false, ...options }: OwnClientOptions = {},
): Promise<Client> {
  const { onRemoved = noteRemoval } = options
  const shared = withOwnHost ? undefined : await borrowed(home, { onRemoved, signal })
  return await openClient(home, signal, { ...options, onRemoved, shared })
}

async function borrowed(
  { files, secrets }: Pick<OpenedHome, 'files' | 'secrets'>,
  {
    onRemoved,
    signal,
  }: { readonly onRemoved: (error: NotAMemberError) => void; readonly signal: AbortSignal },
): Promise<SharedNetwork | undefined> {
  const own = await readOwnGrid(files, systemClock)
  if (own === undefined) return undefined
  const network = await borrowNetwork(files, {
    openOwn: async () => {
      const { identity } = await secrets()
      assert(identity !== undefined, 'who has opened a client has an identity')
      return await joinNetwork(own, { files, identity, signal })
    },
    onRemoved: () => onRemoved(new NotAMemberError(own.file.name)),
  })
  return network && { network, own, caller: network }
}
