import type { ShownAt } from '../remote-tree.ts'
import type { ContentName, IncomingFile, StagedFile } from '../disk/sync-disk.ts'
import type { PullContent } from '../steps.ts'
import type { ContentKey, PathText, RemoteNode } from '../trees.ts'
import type { FileWork } from '../work.ts'
import { AgreedVersion } from './agreed-version.ts'
import type { PullContext } from './pull.ts'
import type { SameContent } from './same-content.ts'

/** A file that is to come from the grid. */
export type PullFile = PullContent & { readonly node: Extract<RemoteNode, { kind: 'file' }> }

/**
 * Brings a content onto the disk: from another file that has it; else from the grid, but for what has come already and what
 * the file that it replaces has, too.
 * @returns undefined if the folder does not show it any more
 */
export async function fetchContent(
  context: PullContext,
  { path, node }: PullFile,
  sameContent: SameContent,
  work: FileWork,
): Promise<StagedFile | undefined> {
  const shown = context.shown.get(path)
  if (shown === undefined || shown.entry.kind === 'directory') return undefined
  const { mtimeMs } = shown.entry
  const about = { mtimeMs, isExecutable: node.isExecutable, sizeBytes: sizeOf(shown) }
  const copied = await copyContent(
    context,
    { key: node.key, paths: sameContent.of(node.key) },
    about,
  )
  if (copied !== undefined) return copied
  const { disk, view, signal } = context
  await using local = await AgreedVersion.open(context, path)
  const chunks = async function* (offset: number): AsyncGenerator<Uint8Array> {
    const range = { offset, length: about.sizeBytes - offset }
    let end = offset
    for await (const chunk of (await view.readEntry(shown, { signal, local, range })).chunks) {
      work.reached((end += chunk.length))
      yield chunk
    }
  }
  return await disk.stage({ ...about, chunks, name: contentName(node) })
}

/** By which what has come of a content is found again. */
export function contentName({ key, isExecutable }: PullFile['node']): ContentName {
  return `${key}${isExecutable ? ' executable' : ''}` as ContentName
}

export function sizeOf({ entry }: ShownAt): number {
  if (entry.kind === 'literal') return entry.bytes.length
  return entry.kind === 'file' ? entry.sizeBytes : 0
}

/** The disk may have the same content under another path. */
async function copyContent(
  { disk, scan, records }: PullContext,
  { key, paths }: { key: ContentKey; paths: readonly PathText[] },
  about: Omit<IncomingFile, 'chunks'>,
): Promise<StagedFile | undefined> {
  for (const path of paths) {
    const synced = records.rows.get(path)?.synced
    const node = scan.tree.get(path)
    if (synced?.kind !== 'file' || synced.key !== key) continue
    if (node?.kind !== 'file' || node.hash !== synced.hash) continue
    await using file = await disk.open(path)
    if (file === undefined) continue
    const staged = await disk.stage({ ...about, chunks: () => file.chunks })
    if (staged.hash === synced.hash) return staged
    await staged.discard()
  }
  return undefined
}
