import { commitEdits } from '../../src/folders/commit/commit.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import { listDirectory, statPath, walkDirectory } from '../../src/folders/read.ts'
import { emptyState, type FolderState } from '../../src/folders/state.ts'
import { editsOf, type EditedView, type ReadyPush } from '../../src/gateway/sync/commit-edits.ts'
import { readRemoteTree } from '../../src/gateway/sync/remote-tree.ts'
import type { RemoteTree } from '../../src/gateway/sync/trees.ts'
import { compareVectors, type TagHex } from '../../src/protocol/version-vector.ts'
import { MemoryTreeStore } from '../merge/memory-store.ts'

/** One grid folder, real but for its slot and blocks: states that devices publish, and that others see sooner or later. */
export class SharedFolder {
  readonly #store = new MemoryTreeStore()
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

  async read(heads: readonly FolderState[]): Promise<RemoteTree> {
    return await readRemoteTree(this.#viewOf(await mergeStates(this.#store, heads)))
  }

  /** Commits on what a device has seen. @returns what it has seen then */
  async commit(
    heads: readonly FolderState[],
    pushes: readonly ReadyPush[],
    { tag, device }: { readonly tag: TagHex; readonly device: string },
  ): Promise<readonly FolderState[]> {
    const base = await mergeStates(this.#store, heads)
    const edits = await editsOf(this.#viewOf(base), pushes)
    const state = await commitEdits(this.#store, base, edits, { tag, device })
    this.#heads = withoutReplaced([...this.#heads, state])
    return [state]
  }

  #viewOf(state: FolderState): EditedView {
    const store = this.#store
    return {
      stat: async (path) => await statPath(store, state, path),
      list: async (path) => await listDirectory(store, state, path),
      walk: (path) => walkDirectory(store, state, path),
    }
  }
}

function withoutReplaced(states: readonly FolderState[]): FolderState[] {
  return states.filter((state, at) =>
    states.every((other, otherAt) => {
      if (at === otherAt) return true
      const order = compareVectors(state.clock, other.clock)
      return order === 'equal' ? at < otherAt : order !== 'before'
    }),
  )
}
