import { accountKeyOf, rootFolderOf } from '../capabilities/account.ts'
import type { Capability, FolderWriteCapability } from '../capabilities/capability.ts'
import { toHex, utf8 } from '../foundation/bytes.ts'
import type { FolderEvent, Folders } from '../folders/service/folders.ts'
import type { MutableFiles } from '../grid/mutable/files.ts'
import { HomeError } from '../home/errors.ts'
import type { AskPassphrase } from '../home/key-store.ts'
import { currentHome, homeFiles } from '../home/layout.ts'
import { openHome, type OpenedHome } from '../home/opened-home.ts'
import { openClient, type Client } from './client.ts'
import { openFiles, openGridNodes, type Files, type GridNodes } from './files.ts'
import { openSlots, type Slots } from './slots.ts'

/**
 * A member of a grid at work: a place to store files and folders, over connections that stay open until it is closed.
 * Close it with `await using`, or else with {@link Hayloft.close}.
 */
export interface Hayloft extends AsyncDisposable {
  /** Files whose content never changes. */
  readonly files: Files
  /** Files that change in place, each under one capability for ever. */
  readonly mutableFiles: MutableFiles
  /** Folders. Closed together with this; there is no need to close them alone. */
  readonly folders: Folders
  /** To see that something changed, and how well it is kept. */
  readonly slots: Slots
  /** The nodes of the grid; to check what is stored, repair it and keep it there. */
  readonly grid: GridNodes
  readonly account: Account
  /** What an alias of this home stands for, `home` among them; undefined if there is none of that name. @throws HomeError */
  findAlias(name: string): Promise<Capability | undefined>
  /**
   * Ends it all: gives what is still on its way a moment to arrive, and closes connections. Streams and watches that are
   * open fail. Calling it again does nothing more.
   */
  close(): Promise<void>
}

/** The person that everything is done for. */
export interface Account {
  /** What others know the account by: its public key, 64 hexadecimal digits. */
  readonly key: string
  /**
   * The account's root folder, which the command line calls `home:`. It exists once somebody has written to it: see
   * {@link Folders.ensure}.
   */
  readonly rootFolder: FolderWriteCapability
}

/** Where a member is at home, and how the program is told things. */
export interface HayloftOptions {
  /** The home of the member, a directory. By default what `HAYLOFT_HOME` names, or else `.hayloft` among one's own files. */
  readonly home?: string | undefined
  /** Gives the passphrase of the home. Asked at most once, and only if its secrets are under one. */
  readonly passphrase?: (() => Promise<string>) | undefined
  /** Gives up opening; what is open ends by closing it. */
  readonly signal?: AbortSignal | undefined
  /** Called for what the user must be told, whatever is being done. */
  readonly onEvent?: ((event: HayloftEvent) => void) | undefined
}

/** What the user must be told: that nodes show less of a folder than was seen before. */
export type HayloftEvent = FolderEvent

/**
 * Opens the home of a member and finds its grid.
 * @throws HomeError: the home belongs to no grid, is damaged, or its secrets cannot be had; SystemFailureError
 */
export async function openHayloft(options: HayloftOptions = {}): Promise<Hayloft> {
  const { passphrase, onEvent } = options
  const files = options.home === undefined ? currentHome() : homeFiles(options.home)
  const home = openHome(files, asking(files.home, passphrase))
  const signal = options.signal ?? new AbortController().signal
  signal.throwIfAborted()
  return new OpenedHayloft(home, await openClient(home, signal, { onEvent }))
}

class OpenedHayloft implements Hayloft {
  readonly files: Files
  readonly slots: Slots
  readonly grid: GridNodes
  readonly account: Account
  readonly #home: OpenedHome
  readonly #client: Client
  #closing: PromiseLike<void> | undefined

  constructor(home: OpenedHome, client: Client) {
    this.#home = home
    this.#client = client
    this.files = openFiles(client.grid)
    this.slots = openSlots(() => client.slots)
    this.grid = openGridNodes(client.grid, {
      membership: client.membership,
      nameOf: client.nameOf.bind(client),
    })
    const { account } = client
    this.account = { key: toHex(accountKeyOf(account)), rootFolder: rootFolderOf(account) }
  }

  get folders(): Folders {
    return this.#client.folders
  }

  get mutableFiles(): MutableFiles {
    return this.#client.mutableFiles
  }

  async findAlias(name: string): Promise<Capability | undefined> {
    return await this.#home.findAlias(name)
  }

  async close(): Promise<void> {
    await (this.#closing ??= this.#client[Symbol.asyncDispose]())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function asking(home: string, passphrase: HayloftOptions['passphrase']): AskPassphrase {
  return async () => {
    if (passphrase === undefined) throw noPassphrase(home)
    // Another keyboard may compose an accented letter in another way.
    return utf8((await passphrase()).normalize('NFC'))
  }
}

function noPassphrase(home: string): HomeError {
  return new HomeError({
    code: 'passphrase-missing',
    message: `The secrets of ${home} are under a passphrase, and the program gave none.`,
  })
}
