import type {
  FileReadCapability,
  LiteralCapability,
  MutableReadCapability,
  MutableWriteCapability,
} from '../../capabilities/capability.ts'
import { slotReadKeyOf, slotWriteKey, slotWriteKeys } from '../../capabilities/slot-keys.ts'
import type { SlotWriteKeys } from '../../capabilities/slot-keys.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import { toHex } from '../../foundation/bytes.ts'
import { assert, HayloftError } from '../../foundation/error.ts'
import { dropOldest } from '../../foundation/newest.ts'
import { openBlockStore, type BlockStore } from '../blocks/store.ts'
import type { GridContext, OperationOptions } from '../context.ts'
import { downloadFile, type Download, type GetOptions } from '../download.ts'
import type { OlderHeads, Rollback, SlotBase, SlotChange, SlotClient } from '../slots/client.ts'
import { recordHistory, walkHistory } from '../slots/history.ts'
import type { Freshness } from '../slots/poll.ts'
import { chooseOlder, NothingSetBackError, parentsAfter, sortByRoot } from '../slots/set-back.ts'
import { follow, stateOf } from './carrying.ts'
import { PastBlocks } from './past-blocks.ts'
import { explained, toldOf, versionsOf, type AcceptedVersion } from './set-back.ts'
import { storeContent } from './store-content.ts'
import {
  checkUnchanged,
  hasContent,
  versionOf,
  type FileContent,
  type FileVersion,
} from './version.ts'

/** Files that change in place: one capability, for ever the newest content, and what it was before. */
export interface MutableFiles {
  /** Makes a new one. @throws what {@link write} throws */
  create(source: AsyncIterable<Uint8Array>, options?: MutableWriteOptions): Promise<CreatedFile>
  /**
   * Gives a file new content; of what the grid has already of the old one, nothing is sent again.
   * @throws TooFewNodesError, SlotNotStoredError, SlotContendedError; FileChangedError; what `source` throws
   */
  write(
    capability: MutableWriteCapability,
    source: AsyncIterable<Uint8Array>,
    options?: MutableWriteOptions,
  ): Promise<WrittenFile>
  /** What the file is now. @throws SlotUnavailableError, NoMutableFileError */
  look(
    capability: MutableReadCapability | MutableWriteCapability,
    options?: OperationOptions,
  ): Promise<MutableFileState>
  /**
   * Reads a version. @throws NotEnoughSharesError, BrokenFileError, InvalidRangeError here or from `chunks`; FileSetBackError for
   * one that {@link look} gave, if storage nodes have gone back from it
   */
  read(version: FileVersion, options?: GetOptions): Promise<Download>
  /** Earlier versions, the last changed first, as far back as they were kept. */
  history(
    capability: MutableReadCapability | MutableWriteCapability,
    options?: OperationOptions,
  ): AsyncIterable<FileVersion>
  /**
   * Makes the content that storage nodes went back to the present one, where the newer one that was seen is gone.
   * @throws NothingSetBackError, TooFewNodesError, SlotNotStoredError, SlotContendedError
   */
  acceptOlder(capability: MutableWriteCapability, options?: AcceptOptions): Promise<AcceptedVersion>
  /** Resolves when no share is on its way any more: a write does not wait for the slowest nodes. */
  settle(): Promise<void>
}

/** When, and as what, a new content is to be written. */
export interface MutableWriteOptions extends OperationOptions {
  /** Write only if this is still the version that {@link MutableFiles.look} gave. */
  readonly ifVersion?: FileVersion | undefined
  /** Milliseconds since 1970; now by default. */
  readonly modifiedMs?: number | undefined
}

/** How far {@link MutableFiles.acceptOlder} goes. */
export interface AcceptOptions {
  /** Also where the newer content's topmost block can be read, and only some below it cannot. */
  readonly force?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a file is now, as far as nodes told. */
export interface MutableFileState {
  readonly current: FileVersion
  /** Versions that were written at the same time as the current one: the newest has won, the others may matter. */
  readonly conflicts: readonly FileVersion[]
  readonly freshness: Freshness
  readonly rollback?: Rollback | undefined
}

/** What became of a write. */
export interface WrittenFile {
  readonly version: FileVersion
  /** Unchanged: it had this content already. */
  readonly durability: 'durable' | 'degraded' | 'unchanged'
  /** Bytes of shares that had to be sent, and had arrived by then. */
  readonly sentBytes: number
}

/** A new file, with the power to change it. */
export interface CreatedFile extends WrittenFile {
  readonly capability: MutableWriteCapability
}

/** Nothing was ever written where a capability leads, or nothing that can be read. */
export class NoMutableFileError extends HayloftError {
  readonly code = 'mutable-missing'
}

export interface MutableFilesOptions {
  readonly slots: SlotClient
  /** What the user calls this device. */
  readonly device?: string | undefined
  /** k-of-n; by default what suits the number of households. */
  readonly code?: ErasureCode | undefined
}

export function openMutableFiles(context: GridContext, options: MutableFilesOptions): MutableFiles {
  return new GridMutableFiles(context, options)
}

class GridMutableFiles implements MutableFiles {
  readonly #context: GridContext
  readonly #slots: SlotClient
  readonly #device: string | undefined
  readonly #code: ErasureCode | undefined
  /** Keys of the files written last: to derive them takes as long as to write a small file. */
  readonly #keys = new Map<string, SlotWriteKeys>()
  readonly #past: PastBlocks
  readonly #closing = new Set<Promise<void>>()
  /** What nodes went back to from versions that were looked at, to tell why one cannot be read. */
  readonly #older = new WeakMap<FileVersion, OlderHeads>()

  constructor(context: GridContext, { slots, device, code }: MutableFilesOptions) {
    this.#context = context
    this.#slots = slots
    this.#device = device
    this.#code = code
    // What goes into these is small, and read by others.
    this.#past = new PastBlocks((convergence) =>
      openBlockStore(context, { convergence, code, cacheBytes: 0 }),
    )
  }

  async settle(): Promise<void> {
    while (this.#closing.size > 0) await Promise.all(this.#closing)
    await this.#past.settle()
  }

  async create(
    source: AsyncIterable<Uint8Array>,
    options: MutableWriteOptions = {},
  ): Promise<CreatedFile> {
    const writeKey = slotWriteKey(this.#context.randomness.bytes(32))
    const capability = { kind: 'mutable-write' as const, writeKey }
    const written = await this.#write(capability, source, { ...options, isNew: true })
    return { ...written, capability }
  }

  async write(
    capability: MutableWriteCapability,
    source: AsyncIterable<Uint8Array>,
    options: MutableWriteOptions = {},
  ): Promise<WrittenFile> {
    return await this.#write(capability, source, { ...options, isNew: false })
  }

  async look(
    capability: MutableReadCapability | MutableWriteCapability,
    { signal }: OperationOptions = {},
  ): Promise<MutableFileState> {
    const { heads, freshness, rollback, older } = await this.#slots.read(
      this.#readerOf(capability),
      {
        signal,
      },
    )
    const versions = versionsOf(heads)
    if (older !== undefined) for (const version of versions) this.#older.set(version, older)
    const [current, ...conflicts] = versions
    if (current === undefined) {
      throw new NoMutableFileError(
        'There is no file here: nothing was ever written with this capability, or it is of something else.',
      )
    }
    return { current, conflicts, freshness, ...(rollback !== undefined && { rollback }) }
  }

  async read(version: FileVersion, options: GetOptions = {}): Promise<Download> {
    try {
      return await downloadFile(this.#context, sourceOf(version.content), options)
    } catch (error) {
      const older = this.#older.get(version)
      throw older === undefined ? error : explained(error, version, older)
    }
  }

  async acceptOlder(
    { writeKey }: MutableWriteCapability,
    { force = false, signal }: AcceptOptions = {},
  ): Promise<AcceptedVersion> {
    const keys = this.#keysOf(writeKey)
    const store = this.#openStore(keys.convergence)
    using _ = this.#closingLater(store)
    let accepted: Omit<AcceptedVersion, 'durability'> | undefined
    const update = async (base: SlotBase): Promise<SlotChange> => {
      const heads = base.heads.filter(({ contents }) => contents.kind === 'file')
      const sorted = await sortByRoot(heads, async (root) => await store.get(root, { signal }))
      const choice = chooseOlder({ heads, older: base.older }, sorted, force)
      const [kept] = versionsOf(choice.kept)
      // Whoever wants an empty file writes one.
      if (kept === undefined) throw new NothingSetBackError()
      accepted = { kept: toldOf(kept), gone: toldOf(versionsOf(choice.given)[0]) }
      const { content, sizeBytes } = kept
      const said = { content, sizeBytes, modifiedMs: this.#timeAfter(base), device: this.#device }
      const parents = await parentsAfter(store, choice)
      return { contents: stateOf(said, { parents }), ready: store.flush() }
    }
    const written = await this.#slots.write(keys, update, { signal })
    assert(written !== undefined && accepted !== undefined, 'the slot was written')
    return { ...accepted, durability: written.durability }
  }

  async *history(
    capability: MutableReadCapability | MutableWriteCapability,
    { signal }: OperationOptions = {},
  ): AsyncGenerator<FileVersion> {
    const { heads } = await this.#slots.read(this.#readerOf(capability), { signal })
    // Reading takes no convergence secret, and readers have none.
    await using store = this.#openStore(new Uint8Array(32))
    const present = heads.map(({ contents }) => contents)
    for await (const { contents } of walkHistory(store, present, signal)) {
      const version = versionOf(contents)
      if (version !== undefined) yield version
    }
  }

  async #write(
    { writeKey }: MutableWriteCapability,
    source: AsyncIterable<Uint8Array>,
    options: MutableWriteOptions & { isNew: boolean },
  ): Promise<WrittenFile> {
    const { signal, isNew } = options
    const keys = this.#keysOf(writeKey)
    const store = this.#openStore(keys.convergence)
    using _ = this.#closingLater(store)
    const { convergence } = keys
    const sentBefore = this.#past.sentBytesOf(keys)
    const { content, sizeBytes, sentBytes } = await storeContent(
      { ...this.#context, convergence },
      source,
      {
        store,
        code: this.#code,
        options,
      },
    )
    let version: FileVersion | undefined
    const update = async (base: SlotBase): Promise<SlotChange | undefined> => {
      const modifiedMs = options.modifiedMs ?? this.#timeAfter(base)
      version = { content, sizeBytes, modifiedMs, device: this.#device }
      checkUnchanged(base, options.ifVersion)
      if (hasContent(base, content)) return undefined
      const following = follow(base.heads, version)
      if (following !== undefined) return await this.#past.change(keys, version, following)
      const parents = await recordHistory(store, base.heads)
      return { contents: stateOf(version, { parents }), ready: store.flush() }
    }
    const written = await this.#slots.write(keys, update, { isNew, signal })
    assert(version !== undefined, 'the slot was written')
    if (written === undefined) await store.flush()
    const durability = written?.durability ?? 'unchanged'
    const pastBytes = Math.max(0, this.#past.sentBytesOf(keys) - sentBefore)
    return { version, durability, sentBytes: sentBytes + store.sentBytes + pastBytes }
  }

  /** A device whose calendar is behind must not make its version look older than the one that it replaces. */
  #timeAfter({ heads }: SlotBase): number {
    const times = heads.map(({ contents }) => (contents.modifiedMs ?? 0) + 1)
    return Math.max(this.#context.clock.nowMs(), ...times)
  }

  /** Shares for slower nodes get there after the write is done. */
  #closingLater(store: BlockStore): Disposable {
    const close = async (): Promise<void> => {
      await store.settle()
      await store[Symbol.asyncDispose]()
    }
    return {
      [Symbol.dispose]: () => {
        const closing = close().finally(() => this.#closing.delete(closing))
        this.#closing.add(closing)
      },
    }
  }

  #openStore(convergence: Uint8Array): BlockStore {
    return openBlockStore(this.#context, { convergence, code: this.#code })
  }

  #readerOf(
    capability: MutableReadCapability | MutableWriteCapability,
  ): Pick<MutableReadCapability, 'slot' | 'readKey'> {
    if (capability.kind === 'mutable-read') return capability
    const { slot } = this.#keysOf(capability.writeKey)
    return { slot, readKey: slotReadKeyOf(capability.writeKey) }
  }

  #keysOf(writeKey: MutableWriteCapability['writeKey']): SlotWriteKeys {
    const name = toHex(writeKey)
    const keys = this.#keys.get(name) ?? slotWriteKeys(writeKey)
    this.#keys.set(name, keys)
    dropOldest(this.#keys, KEYS_KEPT)
    return keys
  }
}

function sourceOf(content: FileContent): FileReadCapability | LiteralCapability {
  return content.kind === 'blocks'
    ? { kind: 'file-read', ...content.root }
    : { kind: 'literal', bytes: content.bytes }
}

const KEYS_KEPT = 1024
