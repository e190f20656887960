import type { AccountSecret } from '../capabilities/account.ts'
import { deriveKey } from '../crypto/hash.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import { loadErasureEngine } from '../erasure/engines.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { openFolders, type FolderEvent, type Folders } from '../folders/service/folders.ts'
import { distrustedNodes } from '../grid/care/node-book.ts'
import { openGrid, type Grid } from '../grid/grid.ts'
import type { MutableFiles } from '../grid/mutable/files.ts'
import type { SlotClient } from '../grid/slots/client.ts'
import { openNetwork, type GridNetwork } from '../network/open.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import type { Caller } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { HomeError, NotAMemberError } from '../home/errors.ts'
import { readAddressFile, writeAddressFile } from '../home/address-file.ts'
import { HomeCareMemory } from '../home/care-memory.ts'
import { deviceName } from '../home/device-name.ts'
import { viewOfGrid, type GridFile } from '../home/grid-file.ts'
import { KnownBlocksFile } from '../home/known-blocks-file.ts'
import type { HomeFiles } from '../home/layout.ts'
import type { OpenedHome } from '../home/opened-home.ts'
import { readOwnGrid, type OwnGrid } from '../home/own-grid.ts'
import { keepToBandwidth } from './bandwidth.ts'
import { networkMembership, requireMembership, wasRemoved } from './live-membership.ts'
import { nodeName } from './node-names.ts'
import { HomeSlotMemory } from '../home/slots/home-slot-memory.ts'

/** A member of the grid at work: the grid over its network, with what its home says. */
export interface Client extends AsyncDisposable {
  readonly grid: Grid
  readonly network: GridNetwork
  readonly file: GridFile
  /** Who belongs to the grid. */
  readonly membership: Membership
  readonly account: AccountSecret
  /** What changes, with what this home remembers of it. Opened when it is first asked for, as are the two below. */
  readonly slots: SlotClient
  readonly folders: Folders
  readonly mutableFiles: MutableFiles
  /** What people call a node. */
  nameOf(node: NodeKey): string
}

/** A network that is open already, for whoever serves on it too. The client leaves it open. */
export interface SharedNetwork {
  readonly network: GridNetwork
  /** The grid as that network knows it. */
  readonly own: OwnGrid
  /** Calls through it. */
  readonly caller: Caller
}

export interface ClientOptions {
  readonly shared?: SharedNetwork | undefined
  /** Called for what the user must be told, whatever is being done. */
  readonly onEvent?: ((event: FolderEvent) => void) | undefined
  /** Called when it turns out meanwhile that this device does not belong to the grid any more: nothing will succeed. */
  readonly onRemoved?: ((error: NotAMemberError) => void) | undefined
}

/** @throws HomeError if the home belongs to no grid or its secrets cannot be had; whatever opening a network throws */
export async function openClient(
  { files, secrets }: Pick<OpenedHome, 'files' | 'secrets'>,
  signal: AbortSignal,
  { onEvent, onRemoved, shared }: ClientOptions = {},
): Promise<Client> {
  const own = shared?.own ?? (await readOwnGrid(files, systemClock))
  if (own === undefined) throw noGrid(files)
  const { file, membership } = own
  const { identity, account } = await secrets()
  if (identity === undefined || account === undefined) throw noGrid(files)
  const network = shared?.network ?? (await joinNetwork(own, { files, identity, signal }))
  await requireMembership(network, own)
  const limits = shared === undefined ? await limited(network, files) : undefined
  const stopWatching = membership.onChange(() => {
    if (wasRemoved(membership, network.self)) onRemoved?.(new NotAMemberError(file.name))
  })
  const knownBlocks = KnownBlocksFile.open(files.knownBlocks)
  const grid = openGrid({
    caller: shared?.caller ?? network,
    view: viewOfGrid(membership),
    clock: systemClock,
    randomness: systemRandomness,
    erasure: loadErasureEngine(),
    convergence: deriveKey(account, KEY_LABELS.convergence),
    knownBlocks,
  })
  grid.distrust(await distrustedNodes(new HomeCareMemory(files.care)))
  const changing = new Changing(grid, { slots: files.slots, signal, onEvent })
  return {
    grid,
    network,
    file,
    membership,
    account,
    get slots() {
      return changing.slots
    },
    get folders() {
      return changing.folders
    },
    get mutableFiles() {
      return changing.mutableFiles
    },
    nameOf: (node) => nodeName(membership, node),
    async [Symbol.asyncDispose]() {
      stopWatching()
      await changing[Symbol.asyncDispose]()
      grid[Symbol.dispose]()
      knownBlocks?.[Symbol.dispose]()
      if (shared !== undefined) return
      limits?.[Symbol.dispose]()
      await keepAddresses(files, network)
      await network[Symbol.asyncDispose]()
    },
  }
}

/** Whoever has opened a host keeps it to what the home may send and take. */
async function limited(network: GridNetwork, { bandwidth }: HomeFiles): Promise<Disposable> {
  return await keepToBandwidth(bandwidth, {
    clock: systemClock,
    limit: (limits) => {
      network.limit(limits)
    },
  })
}

/** A host of its own for whoever only calls. */
export async function joinNetwork(
  own: OwnGrid,
  {
    files,
    identity,
    signal,
  }: {
    readonly files: HomeFiles
    readonly identity: Uint8Array
    readonly signal: AbortSignal
  },
): Promise<GridNetwork> {
  return await openNetwork({
    ...networkMembership(own, files),
    identity,
    listen: [],
    knownAddresses: await readAddressFile(files.addresses),
    clock: systemClock,
    signal,
  })
}

/** What changes on a grid. A command that needs none of it takes no lane of the home. */
class Changing implements AsyncDisposable {
  readonly #grid: Grid
  readonly #slotFiles: string
  readonly #signal: AbortSignal
  readonly #onEvent: ClientOptions['onEvent']
  readonly #device = deviceName()
  #memory: HomeSlotMemory | undefined
  #slots: SlotClient | undefined
  #folders: Folders | undefined
  #mutableFiles: MutableFiles | undefined

  constructor(grid: Grid, options: { slots: string; signal: AbortSignal } & ClientOptions) {
    this.#grid = grid
    this.#slotFiles = options.slots
    this.#signal = options.signal
    this.#onEvent = options.onEvent
  }

  get slots(): SlotClient {
    this.#memory ??= new HomeSlotMemory(this.#slotFiles, { ...SYSTEM, signal: this.#signal })
    return (this.#slots ??= this.#grid.openSlotClient({ memory: this.#memory }))
  }

  get folders(): Folders {
    const { slots } = this
    const options = { ...SYSTEM, slots, device: this.#device, onEvent: this.#onEvent }
    return (this.#folders ??= openFolders(this.#grid, options))
  }

  get mutableFiles(): MutableFiles {
    const { slots } = this
    return (this.#mutableFiles ??= this.#grid.openMutableFiles({ slots, device: this.#device }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folders?.[Symbol.asyncDispose]()
    await this.#slots?.[Symbol.asyncDispose]()
    await this.#memory?.[Symbol.asyncDispose]()
  }
}

const SYSTEM = { clock: systemClock, randomness: systemRandomness }

/** A cache for the next run: that it cannot be written (a read-only home, say) is no reason to fail this one. */
export async function keepAddresses(files: HomeFiles, network: GridNetwork): Promise<void> {
  try {
    await writeAddressFile(files.addresses, network.knownAddresses())
  } catch {
    return
  }
}

/** What a command answers in a home that belongs to no grid yet. */
export function noGrid(files: HomeFiles): HomeError {
  return new HomeError({
    code: 'no-grid',
    message:
      `${files.home} belongs to no grid. "hayloft grid create NAME" makes one, "hayloft grid join" takes an invite. To ` +
      'practise: "hayloft practice start", then set HAYLOFT_HOME to the client home that it names.',
  })
}
