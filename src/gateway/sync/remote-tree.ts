import { toHex } from '../../foundation/bytes.ts'
import type { Version } from '../../folders/entry.ts'
import type { Shown } from '../../folders/read.ts'
import type { FolderView } from '../../folders/service/view.ts'
import type { NewVersion } from '../../folders/commit/edits.ts'
import { pathText, type ContentKey, type PathText, type RemoteNode } from './trees.ts'

/** What is shown at a path of the grid folder. */
export type ShownAt = Shown & { readonly path: readonly string[] }

/** All that a folder shows, for as long as it is to be compared. Linked folders are seen and not entered. */
export async function readRemoteTree(
  view: Pick<FolderView, 'walk'>,
  signal?: AbortSignal,
): Promise<Map<PathText, RemoteNode>> {
  const tree = new Map<PathText, RemoteNode>()
  for await (const shown of view.walk([], { signal })) {
    tree.set(pathText(shown.path), remoteNodeOf(shown))
  }
  return tree
}

function remoteNodeOf({ path, entry, dots, copyOf }: ShownAt): RemoteNode {
  const original = copyOf && pathText([...path.slice(0, -1), copyOf] as Shown['name'][])
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
