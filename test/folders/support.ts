import { MemoryTreeStore } from '../../simulations/merge/memory-store.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import { commitEdits } from '../../src/folders/commit/commit.ts'
import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import { parsePath } from '../../src/folders/names.ts'
import { listDirectory, walkDirectory, type Shown } from '../../src/folders/read.ts'
import { emptyState, type FolderState } from '../../src/folders/state.ts'

export const NOON_MS = Date.UTC(2026, 4, 6, 12)

export const ANNA = { tag: 'aaaaaaaaaaaaaaaa' as TagHex, device: 'Anna' }
export const BOB = { tag: 'bbbbbbbbbbbbbbbb' as TagHex, device: 'Bob' }
export const CARL = { tag: 'cccccccccccccccc' as TagHex, device: 'Carl' }

/** A file of that content, as if it were stored. */
export function fileOf(text: string, mtimeMs = NOON_MS): NewVersion {
  const reference = { key: sha256(utf8(text)), id: blockId(sha256(utf8(`id of ${text}`))) }
  return { kind: 'file', reference, sizeBytes: text.length, mtimeMs }
}

export function put(path: string, text = path, mtimeMs = NOON_MS): Edit {
  return { kind: 'put', path: parsePath(path), content: fileOf(text, mtimeMs) }
}

export function remove(path: string): Edit {
  return { kind: 'remove', path: parsePath(path) }
}

export function move(from: string, to: string): Edit {
  return { kind: 'move', from: parsePath(from), to: parsePath(to) }
}

export function mkdir(path: string): Edit {
  return { kind: 'make-directory', path: parsePath(path) }
}

/** A store and shorthands for what tests do with it. */
export class Bench {
  readonly store = new MemoryTreeStore()

  async empty(): Promise<FolderState> {
    return await emptyState(this.store)
  }

  async commit(base: FolderState, who: typeof ANNA, ...edits: Edit[]): Promise<FolderState> {
    return await commitEdits(this.store, base, edits, who)
  }

  async list(state: FolderState, path = ''): Promise<Shown[]> {
    return await listDirectory(this.store, state, parsePath(path))
  }

  async names(state: FolderState, path = ''): Promise<string[]> {
    return (await this.list(state, path)).map(({ name }) => name)
  }

  /** Every path that is shown. */
  async paths(state: FolderState): Promise<string[]> {
    const paths: string[] = []
    for await (const { path } of walkDirectory(this.store, state, [])) paths.push(path.join('/'))
    return paths
  }
}

export function rootOf({ root }: FolderState): string {
  return toHex(root.id)
}
