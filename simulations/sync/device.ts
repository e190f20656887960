import { utf8 } from '../../src/foundation/bytes.ts'
import type { FolderState } from '../../src/folders/state.ts'
import { editsAround, editsOf } from '../../src/gateway/sync/commit-edits.ts'
import type { EditedView } from '../../src/gateway/sync/edited-view.ts'
import { Published, recover, replacedAtOnce, type Intent } from '../../src/gateway/sync/intents.ts'
import { plan } from '../../src/gateway/sync/plan.ts'
import { contentKeyOf, readRemoteFolder } from '../../src/gateway/sync/remote-tree.ts'
import type { BookStep, Pull, Push, PushContent, ReadyPush } from '../../src/gateway/sync/steps.ts'
import {
  isAsAgreed,
  type ContentHash,
  type PathText,
  type RemoteTree,
  type SyncedLeaf,
  type SyncedNode,
} from '../../src/gateway/sync/trees.ts'
import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import { SimulatedDirectory, type DiskFile } from './disk.ts'
import type { SharedFolder } from './folder.ts'

/** What a device does between any two things: nothing, mostly. Throws {@link Crash} to end it there and then. */
export type Between = () => void

export class Crash extends Error {}

/** A promise that was not kept. */
export class Violation extends Error {}

/** Rounds of planning until a device that nothing disturbs has nothing more to do. */
const MAX_ROUNDS = 40

/** A device that keeps a directory in step with a folder: the real planner, over a simulated disk. */
export class SyncingDevice {
  readonly name: string
  readonly disk = new SimulatedDirectory()
  /** States of the folder that it has seen. */
  heads: readonly FolderState[]
  /** Whether it comes upon the newest states when it commits. */
  arriving = true
  readonly #tag: TagHex
  readonly #folder: SharedFolder
  readonly #synced = new Map<PathText, SyncedNode>()
  readonly #intents = new Map<PathText, Intent>()

  constructor(name: string, folder: SharedFolder) {
    this.name = name
    this.#tag = name.charCodeAt(0).toString(16).repeat(8) as TagHex
    this.#folder = folder
    this.heads = folder.heads
  }

  /** Syncs until there is nothing left to do. @returns whether it came to that; @throws Crash */
  async sync(between: Between): Promise<boolean> {
    await this.#recover()
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const remote = await this.#look()
      const { pushes, pulls, books } = plan({
        local: this.disk.scan(),
        synced: this.#synced,
        remote,
      })
      between()
      for (const book of books) this.#book(book)
      if (pushes.length > 0) await this.#push(pushes, between)
      else for (const pull of pulls) this.#pull(pull, remote, between)
      if (pushes.length + pulls.length + books.length === 0) return true
    }
    return false
  }

  async #look(): Promise<RemoteTree> {
    return (await readRemoteFolder(await this.#folder.view(this.heads))).tree
  }

  async #recover(): Promise<void> {
    if (this.#intents.size === 0) return
    const published = new Published(await this.#look())
    for (const [path, intent] of this.#intents) {
      const recovery = recover(intent, { path, local: this.disk.local(path), published })
      if (recovery.kind === 'forget') this.#synced.delete(path)
      if (recovery.kind === 'agree') this.#synced.set(path, recovery.synced)
    }
    this.#intents.clear()
  }

  #book(book: BookStep): void {
    if (book.kind === 'agree') this.#synced.set(book.path, book.synced)
    else this.#synced.delete(book.path)
  }

  async #push(pushes: readonly Push[], between: Between): Promise<void> {
    const ready: ReadyPush[] = []
    for (const push of pushes) {
      between()
      const uploaded = push.kind === 'push' ? this.#upload(push) : push
      if (uploaded !== undefined) ready.push(uploaded)
    }
    for (const push of ready) {
      this.#intents.set(push.path, { kind: 'push', becomes: this.#becomes(push) })
    }
    between()
    const { name: device } = this
    // A commit is made on the newest state that the nodes tell of, which the plan may not have known.
    if (this.arriving) this.heads = [...new Set([...this.heads, ...this.#folder.heads])]
    const about = { tag: this.#tag, device }
    const make = async (view: EditedView): Promise<readonly Edit[]> => {
      const edits = await editsOf(view, ready)
      await this.#checkMoves(edits, await editsAround(view, ready, { edits: [], rest: ready }))
      return edits
    }
    this.heads = await this.#folder.commit(this.heads, make, about)
    between()
    const published = new Published(await this.#look())
    for (const push of ready) {
      const becomes = this.#becomes(push)
      if (becomes === undefined) this.#synced.delete(push.path)
      else if (becomes.kind === 'directory') this.#synced.set(push.path, becomes)
      else {
        const agreed = published.find(push.path, becomes) ?? replacedAtOnce(becomes)
        this.#synced.set(push.path, agreed)
      }
      this.#intents.delete(push.path)
    }
  }

  /** Whoever moves a directory makes the folder exactly what it becomes file by file. */
  async #checkMoves(edits: readonly Edit[], oneByOne: readonly Edit[]): Promise<void> {
    if (!edits.some(({ kind }) => kind === 'move')) return
    const about = { tag: this.#tag, device: this.name }
    const [moved, made] = [
      await this.#folder.shownAfter(this.heads, edits, about),
      await this.#folder.shownAfter(this.heads, oneByOne, about),
    ]
    if (moved !== made) throw new Violation(`${this.name} moves more than it was to move`)
  }

  /** @returns undefined if it has changed since it was looked at */
  #upload(push: PushContent): ReadyPush | undefined {
    const node = this.disk.nodes.get(push.path)
    const isSame =
      node?.kind === 'file' && push.node.kind === 'file' && push.node.hash === node.text
    if (!isSame) return undefined
    return { ...push, content: literalOf(node) }
  }

  #becomes(push: ReadyPush): SyncedNode | undefined {
    switch (push.kind) {
      case 'push': {
        const { node, content } = push
        if (node.kind !== 'file' || content.kind !== 'literal') return undefined
        const { hash, isExecutable } = node
        const key = contentKeyOf(content)
        return { kind: 'file', hash, key, isExecutable, dots: new Map() } satisfies SyncedLeaf
      }
      case 'push-directory':
        return { kind: 'directory' }
      case 'push-removal':
      case 'push-directory-removal':
        return undefined
    }
  }

  #pull(step: Pull, remote: RemoteTree, between: Between): void {
    between()
    const { nodes } = this.disk
    const { path } = step
    switch (step.kind) {
      case 'pull-directory':
        if (nodes.has(path) || !this.disk.hasPlaceFor(path)) return
        this.#change(new Map([[path, { kind: 'directory' }]]), between, () => {
          nodes.set(path, { kind: 'directory' })
        })
        return
      case 'pull':
      case 'pull-move': {
        if (!this.disk.hasPlaceFor(path) || step.node.kind !== 'file') return
        if (!this.#isAs(step.kind === 'pull' ? path : step.from, step.expects)) return
        if (step.kind === 'pull-move' && nodes.has(path)) return
        if (step.kind === 'pull' && step.keptAt && !this.#isAs(step.keptAt, step.expects)) return
        const file = fileOf(step.node.key)
        const synced = { ...step.node, hash: file.text as ContentHash }
        const changes = new Map<PathText, SyncedNode | undefined>([[path, synced]])
        if (step.kind === 'pull-move') changes.set(step.from, undefined)
        this.#change(changes, between, () => {
          nodes.set(path, file)
          if (step.kind === 'pull-move') nodes.delete(step.from)
        })
        return
      }
      case 'pull-directory-move': {
        const { from } = step
        if (nodes.get(from)?.kind !== 'directory' || nodes.has(path)) return
        if (!this.disk.hasPlaceFor(path)) return
        const changes = new Map<PathText, SyncedNode | undefined>()
        for (const { from, path, becomes } of step.moved) {
          changes.set(from, undefined).set(path, becomes)
        }
        this.#change(changes, between, () => this.disk.move(from, path))
        return
      }
      case 'pull-removal':
        if (!this.#isAs(path, step.expects)) return
        if (step.keptAt && !this.#isAs(step.keptAt, step.expects)) return
        this.#change(new Map([[path, undefined]]), between, () => nodes.delete(path))
        return
      case 'pull-directory-removal':
        if (this.disk.below(path).length > 0 || nodes.get(path)?.kind !== 'directory') return
        this.#change(new Map([[path, undefined]]), between, () => nodes.delete(path))
        return
    }
  }

  #isAs(path: PathText, expects: SyncedLeaf | undefined): boolean {
    const local = this.disk.local(path)
    return expects === undefined ? local === undefined : isAsAgreed(local, expects)
  }

  /** The disk's change is one step; a crash may come before it, or before it is recorded. */
  #change(
    changes: ReadonlyMap<PathText, SyncedNode | undefined>,
    between: Between,
    change: () => void,
  ): void {
    for (const [path, becomes] of changes) this.#intents.set(path, { kind: 'pull', becomes })
    change()
    between()
    for (const [path, becomes] of changes) {
      if (becomes === undefined) this.#synced.delete(path)
      else this.#synced.set(path, becomes)
      this.#intents.delete(path)
    }
  }
}

/** A file's bytes tell its text and its time, which the real thing takes from the entry. */
function literalOf({ text, mtimeMs }: DiskFile): NewVersion {
  return { kind: 'literal', bytes: utf8(text), mtimeMs }
}

function fileOf(key: string): DiskFile {
  const hex = key.slice('literal '.length)
  const text = Buffer.from(hex, 'hex').toString('utf8')
  return { kind: 'file', text, mtimeMs: Number(text.split(' at ')[1]) }
}
