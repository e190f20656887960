import type { Edit, NewVersion } from '../folders/commit/edits.ts'
import type { LinkedEntry, Version } from '../folders/entry.ts'
import type { Path } from '../folders/names.ts'
import { PowerMissingError } from '../folders/service/errors.ts'
import type { FolderWriter, LinkTarget } from '../folders/service/folder.ts'
import type { FolderView } from '../folders/service/view.ts'
import { assert } from '../foundation/error.ts'
import type { Shown } from '../folders/read.ts'

/**
 * Copies something of one folder into another. References move and no content does: who may read the target gets the
 * keys of what was copied with its entries. One commit, and one for each link, as the power to write what is linked is
 * sealed anew.
 */
export async function transplant(
  {
    view,
    shown,
    path: from,
  }: { readonly view: FolderView; readonly shown: Shown; readonly path: Path },
  target: { readonly folder: FolderWriter; readonly path: Path },
  signal: AbortSignal,
): Promise<void> {
  const edits: Edit[] = []
  const links: { readonly from: Path; readonly to: Path }[] = []
  const add = (at: Path, to: Path, entry: Version): void => {
    if (isLink(entry)) links.push({ from: at, to })
    else edits.push({ kind: 'put', path: to, content: newContent(entry) })
  }
  if (shown.entry.kind === 'directory') {
    edits.push({ kind: 'make-directory', path: target.path })
    for await (const { path, entry } of view.walk(from, { signal })) {
      const to = [...target.path, ...path.slice(from.length)]
      if (entry.kind === 'directory') edits.push({ kind: 'make-directory', path: to })
      else add(path, to, entry)
    }
  } else {
    add(from, target.path, shown.entry)
  }
  await target.folder.edit(edits, { signal })
  for (const link of links) {
    await target.folder.link(link.to, await linkTargetAt(view, link.from), { signal })
  }
}

/** What is linked, with all the power over it that its folder gives. */
export async function linkTargetAt(view: FolderView, path: Path): Promise<LinkTarget> {
  const capability = await view.capability(path, 'write').catch(async (thrown: unknown) => {
    if (thrown instanceof PowerMissingError) return await view.capability(path, 'read')
    throw thrown
  })
  const { kind } = capability
  assert(
    kind === 'folder-write' ||
      kind === 'folder-read' ||
      kind === 'mutable-write' ||
      kind === 'mutable-read',
    'what is linked has a slot',
  )
  return capability
}

function isLink(entry: Version): entry is LinkedEntry {
  return entry.kind === 'linked-folder' || entry.kind === 'linked-file'
}

/** The same content for an entry of its own. */
function newContent(entry: Exclude<Version, LinkedEntry>): NewVersion {
  const { name: _name, dots: _dots, device: _device, ...content } = entry
  return content
}
