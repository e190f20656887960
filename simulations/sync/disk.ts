import type { ContentHash, LocalNode, PathText } from '../../src/gateway/sync/trees.ts'
import { parentOf } from '../../src/gateway/sync/trees.ts'

/** A file of a simulated disk. Its text tells it apart from all others that were ever written. */
export interface DiskFile {
  readonly kind: 'file'
  readonly text: string
  readonly mtimeMs: number
}

export type DiskNode = { readonly kind: 'directory' } | DiskFile

/** A directory tree that one user and one syncing device change. */
export class SimulatedDirectory {
  readonly nodes = new Map<PathText, DiskNode>()

  local(path: PathText): LocalNode | undefined {
    const node = this.nodes.get(path)
    if (node?.kind !== 'file') return node
    return { kind: 'file', hash: node.text as ContentHash, isExecutable: false }
  }

  scan(): Map<PathText, LocalNode> {
    return new Map([...this.nodes.keys()].map((path) => [path, this.local(path) as LocalNode]))
  }

  hasPlaceFor(path: PathText): boolean {
    const parent = parentOf(path)
    return parent === undefined || this.nodes.get(parent)?.kind === 'directory'
  }

  below(path: PathText): PathText[] {
    return [...this.nodes.keys()].filter((other) => other.startsWith(`${path}/`))
  }

  move(from: PathText, to: PathText): void {
    for (const path of [from, ...this.below(from)]) {
      const node = this.nodes.get(path)
      this.nodes.delete(path)
      if (node !== undefined) this.nodes.set(`${to}${path.slice(from.length)}` as PathText, node)
    }
  }

  files(): DiskFile[] {
    return [...this.nodes.values()].filter((node) => node.kind === 'file')
  }

  get texts(): Set<string> {
    return new Set(this.files().map(({ text }) => text))
  }
}
