import type { Dot } from '../../protocol/version-vector.ts'
import { NO_DOTS, singleDot, type Dots } from '../dots.ts'
import type { Directory, DirectoryEntry, Entry, Version } from '../entry.ts'
import type { Name } from '../names.ts'
import { projectCopies, type Copy } from '../projection.ts'
import { EMPTY_PART, type Node } from '../tree/node-codec.ts'
import { openDirectory, openRoot, storeDirectory } from '../tree/part.ts'
import { ROOT_TOP, TOP, type Position } from '../tree/position.ts'
import { lookUp } from '../tree/read.ts'
import { nameChange, rewriteNode, stampDirectory, type NameChange } from '../tree/rewrite.ts'
import { NODES_AT_ONCE, type TreeStore } from '../tree/store.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import type { FolderState } from '../state.ts'

/** What a draft has under one name. */
export interface DraftName {
  readonly versions: readonly Version[]
  readonly directory?: DraftDirectory | undefined
}

export const NOTHING: DraftName = { versions: [] }

/** What a draft begins from. */
type Source =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'root'; readonly state: FolderState }
  | { readonly kind: 'directory'; readonly directory: Directory }

/** A directory with changes that are not stored yet. Reads what it is asked for, and no more. */
export class DraftDirectory {
  readonly #store: TreeStore
  readonly #source: Source
  /** The commit's dot. */
  readonly #dot: Dot
  #dots: Dots
  #isAdopted = false
  /** Whether all that the source holds counts as put by this commit. */
  #isStamped = false
  #top: Promise<Node> | undefined
  #copies: Promise<readonly Copy[]> | undefined
  readonly #names = new Map<Name, DraftName>()
  readonly #changed = new Set<Name>()

  /** @param store remembers what it opened */
  constructor(store: TreeStore, dot: Dot, source: Source, dots: Dots) {
    this.#store = store
    this.#dot = dot
    this.#source = source
    this.#dots = dots
  }

  async get(name: Name): Promise<DraftName> {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    const { versions, directory } = await lookUp(this.#store, await this.#opened(), name)
    const draft: DraftName = {
      versions: this.#isStamped ? versions.map((version) => this.stamp(version)) : versions,
      directory: directory && this.#draftOf(directory),
    }
    // Another caller may have come first; there must be one draft of a directory.
    const first = this.#names.get(name) ?? draft
    this.#names.set(name, first)
    return first
  }

  set(name: Name, value: DraftName): void {
    this.#names.set(name, value)
    this.#changed.add(name)
  }

  /** An empty directory of this commit. */
  newDirectory(): DraftDirectory {
    return new DraftDirectory(this.#store, this.#dot, { kind: 'nothing' }, singleDot(this.#dot))
  }

  /** A stored directory as one of this commit. */
  directoryFrom(directory: Directory): DraftDirectory {
    const draft = new DraftDirectory(
      this.#store,
      this.#dot,
      { kind: 'directory', directory },
      singleDot(this.#dot),
    )
    draft.#isStamped = true
    return draft
  }

  /** The same entry as put by this commit. */
  stamp<T extends Entry>(entry: T): T {
    return { ...entry, dots: singleDot(this.#dot) }
  }

  /** Conflict copies as they were shown before this commit. */
  async copies(): Promise<readonly Copy[]> {
    this.#copies ??= this.#opened().then(async (top) => await projectCopies(this.#store, top))
    return await this.#copies
  }

  /** A directory that was only implied by what is in it becomes one of its own. */
  adopt(): void {
    if (this.#dots.size > 0 || this.#source.kind === 'root') return
    this.#dots = singleDot(this.#dot)
    this.#isAdopted = true
  }

  /** Makes all of it this commit's, as what is moved or copied must be: elsewhere its old dots mean nothing. */
  stampAll(): void {
    this.#isStamped = true
    this.#dots = singleDot(this.#dot)
    for (const [name, { versions, directory }] of this.#names) {
      directory?.stampAll()
      this.#names.set(name, { versions: versions.map((each) => this.stamp(each)), directory })
    }
  }

  /** Another draft of the same: changes to one are none to the other. */
  clone(): DraftDirectory {
    const twin = new DraftDirectory(this.#store, this.#dot, this.#source, this.#dots)
    twin.#isStamped = this.#isStamped
    twin.#isAdopted = this.#isAdopted
    twin.#top = this.#top
    twin.#copies = this.#copies
    for (const [name, { versions, directory }] of this.#names) {
      twin.#names.set(name, { versions, directory: directory?.clone() })
    }
    for (const name of this.#changed) twin.#changed.add(name)
    return twin
  }

  get isChanged(): boolean {
    if (this.#isStamped || this.#isAdopted || this.#changed.size > 0) return true
    for (const { directory } of this.#names.values()) if (directory?.isChanged) return true
    return false
  }

  /** Writes all that differs from the source, the deepest first. */
  async store(): Promise<Directory> {
    const changes = await this.#changes()
    const stamp = this.#isStamped ? this.#dot : undefined
    if (changes.length === 0 && this.#source.kind === 'directory') {
      const { directory } = this.#source
      return stamp ? await stampDirectory(this.#store, directory, stamp) : directory
    }
    const position = this.#position
    const rewrite = { names: changes, stamp }
    const part = await rewriteNode(this.#store, await this.#opened(), rewrite, position)
    return await storeDirectory(this.#store, part, position)
  }

  /** An existing directory that someone worked in is theirs, too: it does not go with the last thing in it. */
  async #entryOf(name: Name): Promise<DirectoryEntry> {
    if (this.isChanged) this.adopt()
    const dots = this.#dots
    const { reference, verifyKey, totals } = await this.store()
    return { kind: 'directory', name, dots, reference, verifyKey, totals }
  }

  async #changes(): Promise<NameChange[]> {
    const changed = [...this.#names].filter(
      ([name, { directory }]) => this.#changed.has(name) || directory?.isChanged === true,
    )
    return await mapConcurrently(changed, NODES_AT_ONCE, async ([name, draft]) => {
      const { versions, directory } = draft
      const entries: Entry[] = [...versions]
      if (directory !== undefined) entries.push(await directory.#entryOf(name))
      return nameChange(name, entries)
    })
  }

  #draftOf(directory: DirectoryEntry): DraftDirectory {
    if (this.#isStamped) return this.directoryFrom(directory)
    const source = { kind: 'directory' as const, directory }
    return new DraftDirectory(this.#store, this.#dot, source, directory.dots)
  }

  get #position(): Position {
    return this.#source.kind === 'root' ? ROOT_TOP : TOP
  }

  async #opened(): Promise<Node> {
    this.#top ??= this.#open()
    return await this.#top
  }

  async #open(): Promise<Node> {
    switch (this.#source.kind) {
      case 'nothing':
        return EMPTY_PART
      case 'root':
        return await openRoot(this.#store, this.#source.state.root)
      case 'directory':
        return await openDirectory(this.#store, this.#source.directory)
    }
  }
}

export function draftOfRoot(store: TreeStore, state: FolderState, dot: Dot): DraftDirectory {
  return new DraftDirectory(store, dot, { kind: 'root', state }, NO_DOTS)
}
