import {
  toRead,
  type FolderReadCapability,
  type FolderWriteCapability,
  type SnapshotReadCapability,
} from '../../capabilities/capability.ts'
import { toHex } from '../../foundation/bytes.ts'
import type { BlockStore } from '../../grid/blocks/store.ts'
import type { SlotState } from '../../grid/slots/client.ts'
import { headsDigest, recordDigest } from '../../protocol/slot-record.ts'
import { covers, type VersionVector } from '../../protocol/version-vector.ts'
import { NotADirectoryError, PathNotFoundError } from '../errors.ts'
import { mergeStates } from '../merge.ts'
import { formatPath, type Path } from '../names.ts'
import { snapshotOf } from './capabilities.ts'
import type { FolderContext, ViewMoment } from './context.ts'
import { NoStateThenError, NotMergedError } from './errors.ts'
import type { Commit, FolderReader, LocatedPath, PathVersion, ReadOptions } from './folder.ts'
import { folderHeads, type FolderCommit } from './heads.ts'
import { explaining, explainingNodes } from './explaining.ts'
import type { LinkKeys } from './links.ts'
import { nodesOf, ScratchNodes } from './nodes.ts'
import { OpenedView, type ViewSource } from './opened-view.ts'
import { keptCommitsFrom } from './past.ts'
import { versionsAt } from './path-history.ts'
import type { FolderNow } from './view.ts'

/** A folder that is open with a capability, of which only the power to read is used here. */
export class OpenedReader implements FolderReader {
  readonly capability: FolderReadCapability
  /** With what it was opened. */
  readonly #holder: FolderWriteCapability | FolderReadCapability
  readonly #context: FolderContext
  /** What the states seen last are together, while they stay what they are. */
  #merged: { readonly heads: string; readonly source: ViewSource } | undefined

  constructor(context: FolderContext, holder: FolderWriteCapability | FolderReadCapability) {
    this.#context = context
    this.#holder = holder
    this.capability = holder.kind === 'folder-write' ? toRead(holder) : holder
  }

  async now({ signal }: ReadOptions = {}): Promise<PresentView> {
    return await this.view({ chain: [], signal })
  }

  /** What the folder is now, for who comes to it by a link. */
  async view({ chain, lastSeen, signal }: Omit<ViewMoment, 'timeMs'>): Promise<PresentView> {
    const state = await this.#read(signal, lastSeen)
    return await this.#viewOf(state, chain)
  }

  async at(timeMs: number, { signal }: ReadOptions = {}): Promise<OpenedView> {
    return await this.viewAt({ timeMs, chain: [], signal })
  }

  /** What the folder was, for who comes to it by a link. */
  async viewAt({
    timeMs,
    chain,
    lastSeen,
    signal,
  }: ViewMoment & { timeMs: number }): Promise<OpenedView> {
    const state = await this.#read(signal, lastSeen)
    const heads = folderHeads(state)
    if (heads.every((head) => head.timeMs <= timeMs)) {
      const { source } = await this.#viewOf(state, chain)
      return new OpenedView(this.#context, { ...source, folder: undefined, timeMs })
    }
    const access = await this.#access()
    const options = { nowMs: this.#context.clock.nowMs(), untilMs: timeMs, signal }
    for await (const commit of keptCommitsFrom(access.store, heads, options)) {
      return this.#pastView(access, { ...commit, timeMs }, chain)
    }
    throw new NoStateThenError(timeMs)
  }

  async *history({ signal }: ReadOptions = {}): AsyncGenerator<Commit> {
    const heads = folderHeads(await this.#read(signal))
    const access = await this.#access()
    const options = { nowMs: this.#context.clock.nowMs(), signal }
    for await (const commit of keptCommitsFrom(access.store, heads, options)) {
      const { timeMs, device } = commit
      yield { timeMs, device, view: () => this.#pastView(access, commit, []) }
    }
  }

  async *historyOf(path: Path, { signal }: ReadOptions = {}): AsyncGenerator<PathVersion> {
    const now = await this.now({ signal })
    const place = await now.placeOf(path)
    const { folder } = place.view.source
    if (place.view === now || folder === undefined) {
      yield* versionsAt(this.history({ signal }), place.path)
    } else {
      yield* new OpenedReader(this.#context, folder).historyOf(place.path, { signal })
    }
  }

  async *watch(signal: AbortSignal): AsyncGenerator<FolderNow> {
    for await (const state of this.#context.slots.watch(this.capability, signal)) {
      this.#tell(state)
      // A slot that was never written, until it is.
      if (state.heads.length > 0 || state.unreadable > 0) yield await this.#viewOf(state, [])
    }
  }

  async locate(path: Path, options: ReadOptions = {}): Promise<LocatedPath> {
    const place = await (await this.now(options)).endOf(path)
    const { folder = this.#holder } = place.view.source
    return this.#context.located(folder, place.path)
  }

  async snapshot(path: Path, options: ReadOptions = {}): Promise<SnapshotReadCapability> {
    const now = await this.now(options)
    const { view, path: inner } = await now.directoryAt(path)
    const shown = await view.stat(inner)
    if (shown === undefined) throw new PathNotFoundError(formatPath(path))
    if (shown.entry.kind !== 'directory') throw new NotADirectoryError(formatPath(path))
    const { reference } = shown.entry
    if (view.isScratch(reference)) throw new NotMergedError()
    return await snapshotOf(this.#context, reference)
  }

  async #read(signal: AbortSignal | undefined, lastSeen?: VersionVector): Promise<SlotState> {
    const state = await this.#context.slots.read(this.capability, { signal })
    this.#tell(state, lastSeen)
    return state
  }

  /** Tells of writes that this device, or whoever linked the folder, had seen, and nodes do not show. */
  #tell({ rollback, clock }: SlotState, lastSeen: VersionVector = new Map()): void {
    const { slot } = this.capability
    const missing = new Map(
      [...lastSeen].filter(([tag, counter]) => !covers(clock, { tag, counter })),
    )
    const told = rollback ?? (missing.size > 0 ? { missing } : undefined)
    if (told !== undefined) this.#context.onEvent({ kind: 'rollback', slot, ...told })
  }

  async #viewOf(state: SlotState, chain: readonly string[]): Promise<PresentView> {
    const heads = folderHeads(state)
    const digests = state.heads.map(({ record }) => recordDigest(record.bytes))
    const name = `${toHex(headsDigest(digests))}${state.older === undefined ? '' : ' set back'}`
    if (this.#merged?.heads !== name) {
      const { store, keys } = await this.#access()
      const below = explainingNodes(state, nodesOf(store))
      const nodes = heads.length === 1 ? below : new ScratchNodes(below)
      const states = heads.map((head) => head.state)
      const tree = await explaining(state, nodes, async () => await mergeStates(nodes, states))
      const source = { nodes, tree, keys, folder: this.#holder, chain: [] }
      this.#merged = { heads: name, source }
    }
    const source = { ...this.#merged.source, chain: this.#chain(chain) }
    return new PresentView(this.#context, source, state)
  }

  #pastView(
    { store, keys }: Access,
    { root, timeMs }: Pick<FolderCommit, 'root' | 'timeMs'>,
    chain: readonly string[],
  ): OpenedView {
    const source = {
      nodes: nodesOf(store),
      tree: { root },
      keys,
      timeMs,
      chain: this.#chain(chain),
    }
    return new OpenedView(this.#context, source)
  }

  #chain(before: readonly string[]): readonly string[] {
    return [...before, toHex(this.capability.slot)]
  }

  async #access(): Promise<Access> {
    const { trees, reading } = this.#context
    if (this.#holder.kind === 'folder-read') return { store: reading }
    return await trees.use(this.#holder, async ({ store, keys }) => {
      return await Promise.resolve({ store, keys })
    })
  }
}

/** Where a folder's blocks are read, and with which powers. Reading goes on even where the store is closed. */
interface Access {
  readonly store: Pick<BlockStore, 'get' | 'put'>
  readonly keys?: LinkKeys | undefined
}

/** A view of the present, with how far it can be trusted. */
export class PresentView extends OpenedView implements FolderNow {
  readonly freshness: FolderNow['freshness']
  readonly rollback: FolderNow['rollback']
  readonly states: number

  constructor(context: FolderContext, source: ViewSource, state: SlotState) {
    super(context, source)
    this.freshness = state.freshness
    this.rollback = state.rollback
    this.states = state.heads.length
  }
}
