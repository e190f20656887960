import { sha256 } from '../../src/crypto/hash.ts'
import { equalBytes, toHex } from '../../src/foundation/bytes.ts'
import { assert } from '../../src/foundation/error.ts'
import { commitEdits } from '../../src/folders/commit/commit.ts'
import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import { listDirectory, statPath, walkDirectory, type Shown } from '../../src/folders/read.ts'
import { emptyState, type FolderState } from '../../src/folders/state.ts'
import type { GetOptions } from '../../src/grid/download.ts'
import type { EditedView } from '../../src/gateway/sync/edited-view.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { compareVectors, type TagHex } from '../../src/protocol/version-vector.ts'
import { MemoryTreeStore } from '../merge/memory-store.ts'

/** Makes edits of what a device sees. */
export type SimulatedEditMaker = (view: EditedView) => Promise<readonly Edit[]>

/** One grid folder, real but for its slot and blocks: states that devices publish, and that others see sooner or later. */
export class SharedFolder {
  readonly #store = new MemoryTreeStore()
  readonly #contents = new Map<string, Uint8Array>()
  #heads: readonly FolderState[] = []

  static async create(): Promise<SharedFolder> {
    const folder = new SharedFolder()
    folder.#heads = [await emptyState(folder.#store)]
    return folder
  }

  /** Everything that was ever published and not replaced. */
  get heads(): readonly FolderState[] {
    return this.#heads
  }

  async view(heads: readonly FolderState[]): Promise<EditedView> {
    return this.#viewOf(await mergeStates(this.#store, heads))
  }

  /** Commits on what a device has seen. @returns what it has seen then */
  async commit(
    heads: readonly FolderState[],
    maker: SimulatedEditMaker,
    { tag, device }: { readonly tag: TagHex; readonly device: string },
  ): Promise<readonly FolderState[]> {
    const base = await mergeStates(this.#store, heads)
    const edits = await maker(this.#viewOf(base))
    const state = await commitEdits(this.#store, base, edits, { tag, device })
    this.#heads = withoutReplaced([...this.#heads, state])
    return [state]
  }

  /** What a commit would make of what a device has seen, but for who put it there. */
  async shownAfter(
    heads: readonly FolderState[],
    edits: readonly Edit[],
    { tag, device }: { readonly tag: TagHex; readonly device: string },
  ): Promise<string> {
    const base = await mergeStates(this.#store, heads)
    const state = await commitEdits(this.#store, base, edits, { tag, device })
    const lines: string[] = []
    for await (const { path, entry, dots, copyOf } of walkDirectory(this.#store, state, [])) {
      const content = entry.kind === 'literal' ? [toHex(entry.bytes), entry.mtimeMs] : []
      lines.push(JSON.stringify([path, entry.kind, content, [...dots], copyOf]))
    }
    return lines.join('\n')
  }

  /** Stores a content, of whatever size, under its hash. */
  put(
    bytes: Uint8Array,
    about: { mtimeMs: number; isExecutable?: boolean | undefined },
  ): NewVersion {
    const key = sha256(bytes)
    const reference = { key, id: blockId(sha256(key)) }
    this.#contents.set(toHex(key), bytes)
    return { kind: 'file', reference, sizeBytes: bytes.length, ...about }
  }

  read({ entry }: Pick<Shown, 'entry'>): Uint8Array {
    assert(entry.kind === 'file', 'only files have contents here')
    const bytes = this.#contents.get(toHex(entry.reference.key))
    assert(bytes !== undefined, 'what is shown was put')
    return bytes
  }

  /**
   * What a file's content consists of, from a byte on: blocks of 8 bytes, each fetched unless the local version has it, too,
   * and gives it.
   */
  async *readBlocks(
    { entry }: Pick<Shown, 'entry'>,
    { range, local }: Pick<GetOptions, 'range' | 'local'> = {},
    fetch: (block: Uint8Array) => Promise<Uint8Array> = async (block) =>
      await Promise.resolve(block),
  ): AsyncGenerator<Uint8Array> {
    const bytes = this.read({ entry })
    const others = local && this.#contents.get(toHex(local.reference.key))
    const offset = range?.offset ?? 0
    for (let start = offset - (offset % BLOCK_BYTES); start < bytes.length; start += BLOCK_BYTES) {
      const block = bytes.subarray(start, start + BLOCK_BYTES)
      const other = others?.subarray(start, start + BLOCK_BYTES)
      const isSame = other !== undefined && equalBytes(other, block)
      const known = isSame ? await local?.read({ offset: start, length: block.length }) : undefined
      yield (known ?? (await fetch(block))).subarray(Math.max(0, offset - start))
    }
  }

  #viewOf(state: FolderState): EditedView {
    const store = this.#store
    return {
      stat: async (path) =>
        path.length === 0 ? rootOf(state) : await statPath(store, state, path),
      list: async (path) => await listDirectory(store, state, path),
      walk: (path) => walkDirectory(store, state, path),
    }
  }
}

const BLOCK_BYTES = 8

function withoutReplaced(states: readonly FolderState[]): FolderState[] {
  return states.filter((state, at) =>
    states.every((other, otherAt) => {
      if (at === otherAt) return true
      const order = compareVectors(state.clock, other.clock)
      return order === 'equal' ? at < otherAt : order !== 'before'
    }),
  )
}

/** As of a folder's view: tells apart whatever shows something else. */
function rootOf({ root }: FolderState): Shown {
  const nothing = { files: 0, directories: 0, bytes: 0 }
  return { entry: { kind: 'directory', reference: root }, totals: nothing } as unknown as Shown
}
