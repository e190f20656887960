import type { NewVersion } from '../../folders/commit/edits.ts'
import type { Version } from '../../folders/entry.ts'
import type { Path } from '../../folders/names.ts'
import type { Shown } from '../../folders/read.ts'
import type { FolderView } from '../../folders/service/view.ts'
import { toHex } from '../../foundation/bytes.ts'
import { pathText, type ContentKey, type PathText, type RemoteNode } from './trees.ts'

/** What is shown at a path of the grid folder. */
export type ShownAt = Shown & { readonly path: Path }

/** A grid folder at one moment, all of it. */
export interface RemoteFolder {
  readonly tree: ReadonlyMap<PathText, RemoteNode>
  /** What each node of the tree is made from, to be read. */
  readonly shown: ReadonlyMap<PathText, ShownAt>
}

/** All that a folder shows. Linked folders are seen and not entered. */
export async function readRemoteFolder(
  view: Pick<FolderView, 'walk'>,
  signal?: AbortSignal,
): Promise<RemoteFolder> {
  const tree = new Map<PathText, RemoteNode>()
  const all = new Map<PathText, ShownAt>()
  for await (const shown of view.walk([], { signal })) {
    const path = pathText(shown.path)
    tree.set(path, remoteNodeOf(shown))
    all.set(path, shown)
  }
  return { tree, shown: all }
}

function remoteNodeOf({ path, entry, dots, copyOf }: ShownAt): RemoteNode {
  const original = copyOf && pathText([...path.slice(0, -1), copyOf])
  const place = original === undefined ? { dots } : { dots, copyOf: original }
  switch (entry.kind) {
    case 'directory':
      return { kind: 'directory' }
    case 'file':
    case 'literal':
      return { kind: 'file', key: contentKeyOf(entry), isExecutable: entry.isExecutable, ...place }
    case 'symlink':
      return { kind: 'symlink', target: entry.target, ...place }
    case 'linked-folder':
    case 'linked-file':
      return { kind: 'link', ...place }
  }
}

/** Of a file, stored or about to be put. */
export function contentKeyOf(
  content: Extract<Version | NewVersion, { kind: 'file' | 'literal' }>,
): ContentKey {
  const text =
    content.kind === 'literal'
      ? `literal ${toHex(content.bytes)}`
      : `file ${toHex(content.reference.key)} ${content.sizeBytes}`
  return text as ContentKey
}
