import type { AccountSecret } from '../capabilities/account.ts'
import { deriveKey } from '../crypto/hash.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import { loadErasureEngine } from '../erasure/engines.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { openGrid, type Grid } from '../grid/grid.ts'
import { openNetwork, type GridNetwork } from '../network/open.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { HomeError } from '../home/errors.ts'
import { readAddressFile, writeAddressFile } from '../home/address-file.ts'
import { gridIdBytes, readGridFile, viewOfGrid, type GridFile } from '../home/grid-file.ts'
import { KnownBlocksFile } from '../home/known-blocks-file.ts'
import type { HomeFiles } from '../home/layout.ts'
import type { OpenedHome } from '../home/opened-home.ts'

/** A member of the grid at work: the grid over its network, with what its home says. */
export interface Client extends AsyncDisposable {
  readonly grid: Grid
  readonly network: GridNetwork
  readonly file: GridFile
  readonly account: AccountSecret
  /** What people call a node. */
  nameOf(node: NodeKey): string
}

/** @throws HomeError if the home belongs to no grid or its secrets cannot be had; whatever opening a network throws */
export async function openClient(
  { files, secrets }: Pick<OpenedHome, 'files' | 'secrets'>,
  signal: AbortSignal,
): Promise<Client> {
  const file = await readGridFile(files.grid)
  if (file === undefined) throw notSetUp(files)
  const { identity, account } = await secrets()
  if (identity === undefined || account === undefined) throw notSetUp(files)
  const network = await openNetwork({
    ...networkMembership(file),
    identity,
    listen: [],
    knownAddresses: await readAddressFile(files.addresses),
    clock: systemClock,
    signal,
  })
  const knownBlocks = KnownBlocksFile.open(files.knownBlocks)
  const grid = openGrid({
    caller: network,
    view: viewOfGrid(file),
    clock: systemClock,
    randomness: systemRandomness,
    erasure: loadErasureEngine(),
    convergence: deriveKey(account, KEY_LABELS.convergence),
    knownBlocks,
  })
  const names = new Map(file.members.map(({ key, name }) => [key, name]))
  return {
    grid,
    network,
    file,
    account,
    nameOf: (node) => names.get(node) ?? node.slice(0, 12),
    async [Symbol.asyncDispose]() {
      grid[Symbol.dispose]()
      knownBlocks?.[Symbol.dispose]()
      await keepAddresses(files, network)
      await network[Symbol.asyncDispose]()
    },
  }
}

/** What a network needs to know of the grid. */
export function networkMembership(file: GridFile): {
  gridId: Uint8Array
  bootstrap: readonly string[]
  members: { isMember(key: NodeKey): boolean; keys(): readonly NodeKey[] }
} {
  const keys = new Set(file.members.map(({ key }) => key))
  return {
    gridId: gridIdBytes(file),
    bootstrap: file.bootstrap,
    members: { isMember: (key) => keys.has(key), keys: () => [...keys] },
  }
}

/** A cache for the next run: that it cannot be written (a read-only home, say) is no reason to fail this one. */
export async function keepAddresses(files: HomeFiles, network: GridNetwork): Promise<void> {
  try {
    await writeAddressFile(files.addresses, network.knownAddresses())
  } catch {
    return
  }
}

function notSetUp(files: HomeFiles): HomeError {
  return new HomeError({
    code: 'no-grid',
    message:
      `${files.home} belongs to no grid. Start one to practise with, "hayloft practice start", then set ` +
      'HAYLOFT_HOME to the client home that it names.',
  })
}
