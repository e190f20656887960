import { toHex } from '../../foundation/bytes.ts'
import { slotWriteKey } from '../../capabilities/slot-keys.ts'
import type { FolderWriteCapability } from '../../capabilities/capability.ts'
import type { VersionVector } from '../../protocol/version-vector.ts'
import type { Edit } from '../commit/edits.ts'
import { NotADirectoryError, PathNotFoundError } from '../errors.ts'
import { formatPath, type Path } from '../names.ts'
import type { Shown } from '../read.ts'
import type { FolderContext } from './context.ts'
import type { EditOptions } from './folder.ts'
import { linkedWriteKey, linkTo, type LinkKeys } from './links.ts'
import type { OpenTree } from './open-trees.ts'
import { publishEdits, publishNew } from './publish.ts'
import { contentOf } from './restore.ts'
import type { FolderView } from './view.ts'

/**
 * Makes a directory a folder of its own, linked in its place. The new folder is written first, then the link; where the
 * directory has changed in between, the folder is written again.
 */
export async function promoteDirectory(
  context: FolderContext,
  parent: OpenTree,
  path: Path,
  options: EditOptions = {},
): Promise<FolderWriteCapability> {
  const writeKey = slotWriteKey(context.randomness.bytes(32))
  const capability = { kind: 'folder-write' as const, writeKey }
  const { childrenKey } = parent.keys
  let copied: { readonly reference: string; readonly clock: VersionVector } | undefined
  const relink = async (view: FolderView): Promise<Edit[]> => {
    const { directory, newestMs } = await directoryAt(view, path)
    if (copied?.reference !== directory) {
      const { clock } = await context.trees.use(capability, async (child) => {
        const edits = await copyingEdits(view, path, { from: parent.keys, to: child.keys })
        const isNew = copied === undefined
        return await publishNew(context, child, edits, { isNew, signal: options.signal })
      })
      copied = { reference: directory, clock }
    }
    const mtimeMs = newestMs ?? context.clock.nowMs()
    const content = linkTo(capability, { childrenKey, mtimeMs, lastSeen: copied.clock })
    return [
      { kind: 'remove', path },
      { kind: 'put', path, content },
    ]
  }
  await publishEdits(context, parent, relink, options)
  return capability
}

/** What fills an empty folder with a directory. The write keys of links are sealed for the new folder's writers. */
async function copyingEdits(
  view: FolderView,
  path: Path,
  { from, to }: { from: LinkKeys; to: LinkKeys },
): Promise<Edit[]> {
  const shown = await view.list(path)
  const edits = shown.map(({ name, entry }): Edit => {
    return { kind: 'put', path: [name], content: contentOf(entry) }
  })
  for await (const found of view.walk(path)) {
    const inner = found.path.slice(path.length)
    edits.push(...resealing(found, inner, { from, to }))
  }
  return edits
}

function resealing(
  { entry }: Shown,
  path: Path,
  { from, to }: { from: LinkKeys; to: LinkKeys },
): Edit[] {
  if (entry.kind !== 'linked-folder' && entry.kind !== 'linked-file') return []
  const writeKey = linkedWriteKey(entry, from)
  if (writeKey === undefined) return []
  const kind = entry.kind === 'linked-folder' ? 'folder-write' : 'mutable-write'
  const { mtimeMs, lastSeen } = entry
  const content = linkTo({ kind, writeKey }, { ...to, mtimeMs, lastSeen })
  return [{ kind: 'put', path, content }]
}

async function directoryAt(
  view: FolderView,
  path: Path,
): Promise<{ directory: string; newestMs: number | undefined }> {
  const shown = await view.stat(path)
  if (shown === undefined) throw new PathNotFoundError(formatPath(path))
  const { entry } = shown
  if (entry.kind !== 'directory' || path.length === 0)
    throw new NotADirectoryError(formatPath(path))
  return { directory: toHex(entry.reference.id), newestMs: entry.totals.newestMs }
}
