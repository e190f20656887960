import type {
  Capability,
  FolderReadCapability,
  FolderWriteCapability,
} from '../../capabilities/capability.ts'
import { toHex } from '../../foundation/bytes.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { Download, GetOptions } from '../../grid/download.ts'
import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { NO_DOTS } from '../dots.ts'
import type { Totals } from '../entry.ts'
import { NotADirectoryError, PathNotFoundError } from '../errors.ts'
import { formatPath, type Name, type Path } from '../names.ts'
import {
  listDirectory,
  measureDirectory,
  openTree,
  statPath,
  walkDirectory,
  type ReadableTree,
  type Shown,
} from '../read.ts'
import type { TreeStore } from '../tree/store.ts'
import { capabilityOfEntry, capabilityOfFolder, capabilityOfRoot } from './capabilities.ts'
import type { FolderContext } from './context.ts'
import { readShown } from './contents.ts'
import { LinkCycleError } from './errors.ts'
import { openLinkedFolder, type LinkKeys } from './links.ts'
import { ScratchNodes } from './nodes.ts'
import type { FolderView, Power, WalkOptions } from './view.ts'

/** What a view was opened with. */
export interface ViewSource {
  readonly nodes: TreeStore
  readonly tree: ReadableTree
  /** The folder that this is the present state of; undefined for what is past or frozen. */
  readonly folder?: FolderWriteCapability | FolderReadCapability | undefined
  /** Of who may write the folder. */
  readonly keys?: LinkKeys | undefined
  /** Linked folders are shown as of this time; undefined: now. */
  readonly timeMs?: number | undefined
  /** Slots of the folders that led here, this one's last. */
  readonly chain: readonly string[]
}

/** A path in the tree of one view. */
export interface Place {
  readonly view: OpenedView
  readonly path: Path
}

/** One moment of one folder, and the linked folders that its paths come to. */
export class OpenedView implements FolderView {
  readonly source: ViewSource
  readonly #context: FolderContext
  /** Linked folders that were entered, by their paths: a view is one moment, so each is opened once. */
  readonly #entered = new Map<string, Promise<OpenedView>>()

  constructor(context: FolderContext, source: ViewSource) {
    this.#context = context
    this.source = source
  }

  async stat(path: Path): Promise<Shown | undefined> {
    if (path.length === 0) return await this.#root()
    return await this.within(path, async ({ view, path }) => {
      const { nodes, tree } = view.source
      return await statPath(nodes, tree, path)
    })
  }

  async list(path: Path): Promise<Shown[]> {
    return await this.within(path, async ({ view, path }) => {
      const { nodes, tree } = view.source
      return await listDirectory(nodes, tree, path)
    })
  }

  async measure(path: Path): Promise<Omit<Totals, 'dots'>> {
    return await this.within(path, async ({ view, path }) => {
      const { nodes, tree } = view.source
      return await measureDirectory(nodes, tree, path)
    })
  }

  async *walk(
    path: Path,
    options: WalkOptions = {},
  ): AsyncGenerator<Shown & { readonly path: Path }> {
    const { view, path: inner } = await this.directoryAt(path)
    const outer = path.slice(0, path.length - inner.length)
    const { nodes, tree } = view.source
    for await (const shown of walkDirectory(nodes, tree, inner)) {
      options.signal?.throwIfAborted()
      const here = [...outer, ...shown.path]
      yield { ...shown, path: here }
      if (options.links !== true || shown.entry.kind !== 'linked-folder') continue
      yield* view.#walkLinked(shown.path, here, options)
    }
  }

  async *#walkLinked(
    link: Path,
    here: Path,
    options: WalkOptions,
  ): AsyncGenerator<Shown & { readonly path: Path }> {
    const { onUnreadable } = options
    const inner: WalkOptions = {
      ...options,
      onUnreadable: onUnreadable && ((path, error) => onUnreadable([...here, ...path], error)),
    }
    // Ends, as no folder is entered from within itself.
    try {
      const linked = await this.#enter(link, here)
      for await (const below of linked.walk([], inner)) {
        yield { ...below, path: [...here, ...below.path] }
      }
    } catch (error) {
      if (!(error instanceof HayloftError) || onUnreadable === undefined) throw error
      onUnreadable(here, error)
    }
  }

  async *conflicts(path: Path): AsyncGenerator<Shown & { readonly path: Path }> {
    const { copies } = await this.measure(path)
    if (copies === 0) return
    for (const shown of await this.list(path)) {
      const here = [...path, shown.name]
      if (shown.copyOf !== undefined) yield { ...shown, path: here }
      const { entry } = shown
      // Ends, as a directory's height is less than that of the one which it is in.
      if (entry.kind === 'directory' && entry.totals.copies > 0) yield* this.conflicts(here)
    }
  }

  async readFile(path: Path, options: GetOptions = {}): Promise<Download> {
    const shown = await this.stat(path)
    if (shown === undefined) throw new PathNotFoundError(formatPath(path))
    return await readShown(this.#context, shown, { ...options, path: formatPath(path) })
  }

  async readEntry(shown: Shown, options: GetOptions = {}): Promise<Download> {
    return await readShown(this.#context, shown, { ...options, path: shown.name })
  }

  async capability(path: Path, power: Power): Promise<Capability> {
    return await this.within(path, async ({ view, path }) => {
      const { source } = view
      if (path.length === 0) {
        return source.folder === undefined
          ? await capabilityOfRoot(this.#context, source.tree.root, power)
          : capabilityOfFolder(source.folder, power)
      }
      const shown = await statPath(source.nodes, source.tree, path)
      if (shown === undefined) throw new PathNotFoundError(formatPath(path))
      return await capabilityOfEntry(this.#context, shown.entry, { power, source, path })
    })
  }

  /** Whether a node of this view is on no grid. */
  isScratch(reference: ReadableTree['root']): boolean {
    const { nodes } = this.source
    return nodes instanceof ScratchNodes && nodes.has(reference.id)
  }

  /** The folder that holds a path, over all links but one at its end. */
  async placeOf(path: Path): Promise<Place> {
    if (path.length === 0) return { view: this, path }
    return await this.within(path, async (place) => {
      const { nodes, tree } = place.view.source
      if (place.path.length > 0) await statPath(nodes, tree, place.path)
      return place
    })
  }

  /** The same over a link at its end, too. */
  async endOf(path: Path): Promise<Place> {
    const place = await this.placeOf(path)
    const isLink = place.path.length > 0 && (await place.view.#isLink(place.path))
    return isLink ? { view: await place.view.#enter(place.path, path), path: [] } : place
  }

  /** A directory, or where a linked folder begins. @throws PathNotFoundError, NotADirectoryError */
  async directoryAt(path: Path): Promise<Place> {
    return await this.within(path, async (place) => {
      const { nodes, tree } = place.view.source
      await measureDirectory(nodes, tree, place.path)
      return place
    })
  }

  /** Does `work` in the tree that a path leads to; where it finds a linked folder on its way, again in that one. */
  async within<T>(path: Path, work: (place: Place) => Promise<T>): Promise<T> {
    let place: Place = { view: this, path }
    // Ends, as every round takes at least one name off the path.
    for (;;) {
      try {
        return await work(place)
      } catch (error) {
        if (!(error instanceof NotADirectoryError)) throw error
        const names = error.path.split('/').length
        const link = place.path.slice(0, names)
        if (link.length === 0 || formatPath(link) !== error.path) throw error
        if (!(await place.view.#isLink(link))) throw error
        const rest = place.path.slice(names)
        const at = path.slice(0, path.length - rest.length)
        place = { view: await place.view.#enter(link, at), path: rest }
      }
    }
  }

  async #isLink(path: Path): Promise<boolean> {
    const { nodes, tree } = this.source
    return (await statPath(nodes, tree, path))?.entry.kind === 'linked-folder'
  }

  /** @param at the link's path as it was asked for, which may come from another folder */
  async #enter(path: Path, at: Path): Promise<OpenedView> {
    const name = formatPath(path)
    let entered = this.#entered.get(name)
    if (entered === undefined) {
      entered = this.#open(path, at)
      this.#entered.set(name, entered)
      // One that could not be read now may be read later.
      entered.catch(() => this.#entered.delete(name))
    }
    return await entered
  }

  async #open(path: Path, at: Path): Promise<OpenedView> {
    const { nodes, tree, keys, chain, timeMs } = this.source
    const shown = await statPath(nodes, tree, path)
    if (shown?.entry.kind !== 'linked-folder') throw new NotADirectoryError(formatPath(path))
    const { entry } = shown
    if (chain.includes(toHex(entry.slot)) || chain.length >= MAX_LINKS_CROSSED) {
      throw new LinkCycleError(formatPath(at))
    }
    return await openLinkedFolder(this.#context, entry, { keys, chain, timeMs })
  }

  async #root(): Promise<Shown> {
    const { nodes, tree } = this.source
    const { weight: _, names: __, ...totals } = (await openTree(nodes, tree)).summary
    const { root: reference } = tree
    const verifyKey = verifyKeyOf(reference.key)
    const name = '' as Name
    return {
      name,
      dots: NO_DOTS,
      entry: { kind: 'directory', name, dots: NO_DOTS, reference, verifyKey, totals },
    }
  }
}

/** Links on one path; nobody nests shared folders this deep. */
const MAX_LINKS_CROSSED = 32
