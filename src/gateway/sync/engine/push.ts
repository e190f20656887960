import { startSha256 } from '../../../crypto/hash.ts'
import { SystemFailureError } from '../../../foundation/system-failure.ts'
import { toHex } from '../../../foundation/bytes.ts'
import type { Edit, NewVersion } from '../../../folders/commit/edits.ts'
import { NO_DOTS } from '../../../folders/dots.ts'
import type { FolderWriter } from '../../../folders/service/folder.ts'
import { editsOf } from '../commit-edits.ts'
import { directoryOf } from '../directory-moves.ts'
import { SourceChangedError } from '../../../grid/errors.ts'
import { hashedSource, type HashedSource } from '../../../grid/files/hashed-source.ts'
import type { OpenedFile, Scan, ScannedNode } from '../disk/sync-disk.ts'
import { Published, replacedAtOnce } from '../intents.ts'
import { contentKeyOf, readRemoteFolder } from '../remote-tree.ts'
import type { RecordChange, SyncRow } from '../records/records.ts'
import type { Push, PushContent, ReadyPush } from '../steps.ts'
import {
  pathText,
  type ContentHash,
  type PathText,
  type SyncedLeaf,
  type SyncedNode,
} from '../trees.ts'
import type { Change, SyncContext } from './context.ts'
import { filesAtOnce } from './files-at-once.ts'
import { settledSignature } from './signatures.ts'

/**
 * So many files that must be sent become one commit, so that a stop in the middle of very many keeps those that were committed.
 * What came in one commit can be moved later without being written anew, which speaks for large ones.
 */
const UPLOADS_AT_ONCE = 20_000

interface PushContext extends SyncContext {
  readonly writer: Pick<FolderWriter, 'now' | 'edit' | 'putFile'>
  readonly scan: Scan
  readonly signal: AbortSignal
}

/** Brings what the disk has to the grid. What changes on the disk meanwhile is left for the next time. */
export async function pushAll(context: PushContext, pushes: readonly Push[]): Promise<void> {
  const contents = knownContents(context)
  const sent = pushes.filter((push) => isSent(push, contents))
  const bytes = sent.reduce((sum, push) => sum + sizeOf(context, push), 0)
  using _ = context.work.begin({ kind: 'sending', files: sent.length, bytes })
  for (const some of inCommits(pushes, contents)) await pushSome(context, some, contents)
}

/** What sends nothing goes along with the first files that are sent: a directory that was moved stays together. */
function inCommits(pushes: readonly Push[], contents: KnownContents): (readonly Push[])[] {
  const sent = pushes.filter((push) => isSent(push, contents))
  if (sent.length <= UPLOADS_AT_ONCE) return [pushes]
  const first = [
    ...pushes.filter((push) => !isSent(push, contents)),
    ...sent.slice(0, UPLOADS_AT_ONCE),
  ]
  const commits = [first]
  for (let at = UPLOADS_AT_ONCE; at < sent.length; at += UPLOADS_AT_ONCE) {
    commits.push(sent.slice(at, at + UPLOADS_AT_ONCE))
  }
  return commits
}

/** Whether it is a file whose content the grid has not. */
function isSent(push: Push, contents: KnownContents): boolean {
  return push.kind === 'push' && push.node.kind === 'file' && !contents.has(push.node.hash)
}

type KnownContents = ReadonlyMap<ContentHash, NonNullable<SyncRow['stored']>>

async function pushSome(
  context: PushContext,
  pushes: readonly Push[],
  contents: KnownContents,
): Promise<void> {
  const { records, writer, signal } = context
  const uploaded = await filesAtOnce(pushes, {
    sizeOf: (push) => sizeOf(context, push),
    work: async (push) => (push.kind === 'push' ? await uploadOne(context, push, contents) : push),
  })
  const ready = uploaded.filter((push) => push !== undefined)
  if (ready.length === 0) return
  await records.write(
    ready.map((push) => ({
      path: push.path,
      intent: { is: { kind: 'push', becomes: becomesOf(push) } },
    })),
  )
  let edits: readonly Edit[] = []
  await writer.edit(async (view) => (edits = await editsOf(view, ready)), { signal })
  const { tree } = await readRemoteFolder(await writer.now({ signal }), signal)
  const published = new Published(tree)
  await records.write(ready.map((push) => settled(context, push, published)))
  tell(context, ready, edits)
}

/** Of a directory that was moved it is told once, and not of what lies in it. */
function tell(
  { onEvent }: PushContext,
  pushes: readonly ReadyPush[],
  edits: readonly Edit[],
): void {
  const moved = new Map<PathText, true>()
  for (const edit of edits) {
    if (edit.kind !== 'move') continue
    const to = pathText(edit.to)
    moved.set(pathText(edit.from), true).set(to, true)
    onEvent({ kind: 'sent', path: to, change: 'move' })
  }
  for (const push of pushes) {
    if (directoryOf(push.path, moved) !== undefined) continue
    onEvent({ kind: 'sent', path: push.path, change: changeOf(push) })
  }
}

function sizeOf({ scan }: PushContext, { kind, path }: Push): number {
  const node = kind === 'push' ? scan.tree.get(path) : undefined
  return node?.kind === 'file' ? node.sizeBytes : 0
}

/** @returns undefined if the file is not what it was when it was looked at, or could not be stored now */
async function uploadOne(
  context: PushContext,
  push: PushContent,
  contents: KnownContents,
): Promise<ReadyPush | undefined> {
  const { disk, clock, writer, scan, signal, onEvent } = context
  const { node, path } = push
  if (node.kind === 'symlink') {
    const { target } = node
    return { ...push, content: { kind: 'symlink', target, mtimeMs: clock.nowMs() } }
  }
  const known = contents.get(node.hash)
  const scanned = scan.tree.get(path)
  if (known !== undefined && scanned?.kind === 'file') {
    const { mtimeMs } = scanned
    const { isExecutable } = node
    return { ...push, content: { kind: 'file', ...known, mtimeMs, isExecutable } }
  }
  const work = context.work.file(sizeOf(context, push))
  try {
    await using file = await disk.open(path)
    if (file === undefined) return undefined
    const { mtimeMs, isExecutable } = file
    const hash = startSha256()
    const hashed = hashedFile(file, scan.tree.get(path))
    const content = await writer.putFile(hashed ?? hashing(file.chunks, hash), {
      mtimeMs,
      isExecutable,
      signal,
      onProgress: ({ doneBytes }) => work.reached(doneBytes),
    })
    const isSame = hashed !== undefined || (toHex(hash.digest()) as ContentHash) === node.hash
    return isSame && (await file.isUnchanged()) ? { ...push, content } : undefined
  } catch (error) {
    // It is looked at again.
    if (error instanceof SourceChangedError) return undefined
    // A file that cannot be read is the file's own affair; a grid that cannot be reached is everyone's.
    if (!(error instanceof SystemFailureError)) throw error
    onEvent({ kind: 'failed', path, message: error.message })
    return undefined
  } finally {
    work.end()
  }
}

/** A file of which the scan has told what its blocks hash to, if it still is that file. */
function hashedFile(file: OpenedFile, node: ScannedNode | undefined): HashedSource | undefined {
  if (node?.kind !== 'file' || node.frameHashes === undefined) return undefined
  if (file.signature !== node.signature) return undefined
  const { sizeBytes, frameHashes } = node
  return hashedSource({ sizeBytes, frameHashes, read: async (range) => await file.read(range) })
}

async function* hashing(
  chunks: AsyncIterable<Uint8Array>,
  hash: { update(bytes: Uint8Array): void },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

/** Contents that the grid has, so that a file that was moved or copied is not sent again. */
function knownContents({
  records,
}: Pick<SyncContext, 'records'>): Map<ContentHash, NonNullable<SyncRow['stored']>> {
  const known = new Map<ContentHash, NonNullable<SyncRow['stored']>>()
  for (const { synced, stored } of records.rows.values()) {
    if (synced.kind === 'file' && stored !== undefined) known.set(synced.hash, stored)
  }
  return known
}

/** What is to be recorded; where in the folder it stands is seen once it is published. */
function becomesOf(push: ReadyPush): SyncedNode | undefined {
  switch (push.kind) {
    case 'push':
      return leafOf(push)
    case 'push-directory':
      return { kind: 'directory' }
    case 'push-removal':
    case 'push-directory-removal':
      return undefined
  }
}

function leafOf({ node, content }: PushContent & { content: NewVersion }): SyncedLeaf {
  if (node.kind === 'symlink') return { kind: 'symlink', target: node.target, dots: NO_DOTS }
  if (content.kind !== 'file' && content.kind !== 'literal') throw new TypeError('a file is a file')
  const { hash, isExecutable } = node
  return { kind: 'file', hash, isExecutable, key: contentKeyOf(content), dots: NO_DOTS }
}

function settled({ scan }: PushContext, push: ReadyPush, published: Published): RecordChange {
  const { path } = push
  const intent = { is: undefined }
  if (push.kind !== 'push') {
    const becomes = becomesOf(push)
    return { path, intent, row: { is: becomes && { synced: becomes } } }
  }
  const leaf = leafOf(push)
  const synced = published.find(path, leaf) ?? replacedAtOnce(leaf)
  const { content } = push
  const stored =
    content.kind === 'file'
      ? { reference: content.reference, sizeBytes: content.sizeBytes }
      : undefined
  const signature = settledSignature(scan.tree.get(path))
  return { path, intent, row: { is: { synced, stored, signature } } }
}

function changeOf(push: ReadyPush): Change {
  switch (push.kind) {
    case 'push':
      return push.node.kind === 'file' ? 'file' : 'link'
    case 'push-directory':
      return 'directory'
    case 'push-removal':
    case 'push-directory-removal':
      return 'removal'
  }
}
