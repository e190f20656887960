import { toHex } from '../../../foundation/bytes.ts'
import { sleep } from '../../../foundation/clock.ts'
import type { FolderNow } from '../../../folders/service/view.ts'
import { plan, type Plan } from '../plan.ts'
import type { Hold } from '../hold.ts'
import type {
  ContentName,
  DiskProblem,
  KnownFile,
  Scan,
  ScannedNode,
  ScanOptions,
  Signature,
} from '../disk/sync-disk.ts'
import { Published, recover } from '../intents.ts'
import { readRemoteFolder, type RemoteFolder } from '../remote-tree.ts'
import type { RecordChange } from '../records/records.ts'
import { EVERYTHING, IGNORE_FILE } from '../selection.ts'
import type { BookStep, Pull, Push } from '../steps.ts'
import type { ContentHash, PathText } from '../trees.ts'
import type { SyncContext } from './context.ts'
import { contentName } from './fetch-content.ts'
import { needsContent, pullAll } from './pull.ts'
import { pushAll } from './push.ts'
import { revertAll } from './revert.ts'
import { refreshedSignatures } from './signatures.ts'

/** What one pass over a sync came to. */
export interface SyncResult {
  /** What could not be brought over now although nothing failed: it changes all the while, or waits for something. */
  readonly pending: number
  readonly problems: readonly DiskProblem[]
  /** What has another name on the disk than in the folder, since the disk cannot hold that, by the name it has there. */
  readonly escaped: readonly string[]
  /** Removals that wait for a word of the user. */
  readonly hold: Hold | undefined
  /** Changes on the disk that may not go to a folder that one may only read. */
  readonly unsent: number
  /** Where they are; the first thousand. */
  readonly unsentPaths: readonly PathText[]
  /** Conflict copies that the folder shows. */
  readonly conflicts: number
  /** Where they are; the first thousand. */
  readonly conflictPaths: readonly PathText[]
  /** Files that could not be brought over now; they are tried again. Of each a sentence. */
  readonly failures: ReadonlyMap<PathText, string>
}

export interface PassOptions {
  readonly signal: AbortSignal
  /** The user has said that they meant to remove so much. */
  readonly allowRemovals?: boolean | undefined
  /**
   * Changes in a directory whose folder may only be read that are to be undone: paths with all that is below them, or all.
   * What is taken off that way is kept in `.hayloft/set-aside`.
   */
  readonly revert?: readonly PathText[] | 'all' | undefined
}

/** Paths that are told one by one. */
const MAX_PATHS_TOLD = 1_000

/** More rounds than anything but a user who edits all the while needs; the rest waits for the next pass. */
const MAX_ROUNDS = 12
/** After which most disks write another time. */
const RIPEN_MS = 100

/**
 * Brings a directory and a folder together: looks at both, plans, brings local changes to the grid, looks again, brings the
 * grid's to the disk, until there is nothing left to do.
 * @throws what the grid and the disk throw: then nothing is lost, and the next pass goes on
 */
export async function syncOnce(
  outer: SyncContext,
  { signal, allowRemovals = false, revert = [] }: PassOptions,
): Promise<SyncResult> {
  const failures = new Map<PathText, string>()
  const context = { ...outer, onEvent: notingFailures(outer, failures) }
  const { folder, records } = context
  const stuck = new Set<PathText>()
  for (let round = 1; ; round++) {
    const scan = await scanDisk(context, signal)
    await records.write(refreshedSignatures(scan, records))
    const view = await folder.now({ signal })
    const remote = await readChangedFolder(folder, view, signal)
    await recoverAll(context, scan, remote)
    const { selection } = scan
    const trees = {
      local: scan.tree,
      synced: records.synced,
      remote: remote.tree,
      selection,
      stuck,
    }
    const planned = plan(trees)
    await records.write(planned.books.map((book) => bookChange(book, records)))
    // What failed is left for another pass: the disk that was full a moment ago is full still.
    const isOpen = ({ path }: { path: PathText }): boolean => !failures.has(path)
    const pushes = permitted(planned, { folder, allowRemovals }).filter(isOpen)
    const pulls = planned.pulls.filter(isOpen)
    const isReverted =
      folder.power === 'read' && (await revertAll({ ...context, scan }, planned.pushes, revert))
    const ripe = pulls.filter((step) => !isTooNew(step, scan))
    const steps = pushes.length + pulls.length + planned.books.length
    const isDone = steps === 0 && !isReverted
    if (isDone || round === MAX_ROUNDS) {
      await context.disk.dropUnfinished(namesOf(planned.pulls))
      return resultOf({
        planned,
        pending: pushes.length + pulls.length,
        scan,
        remote,
        folder,
        failures,
        allowRemovals,
      })
    }
    if (folder.power === 'write' && pushes.length > 0) {
      await pushAll({ ...context, writer: folder, scan, signal }, pushes)
    } else {
      const onStuck = (path: PathText): unknown => stuck.add(path)
      const pulling = { ...context, view, shown: remote.shown, scan, signal, onStuck }
      await pullAll(pulling, rulesFirst(ripe))
      if (ripe.length < pulls.length) await sleep(context.clock, RIPEN_MS, signal)
    }
  }
}

/** Large folders are read only when they are another one. */
async function readChangedFolder(
  folder: SyncContext['folder'],
  view: FolderNow,
  signal: AbortSignal,
): Promise<RemoteFolder> {
  const root = (await view.stat([]))?.entry
  const id = root?.kind === 'directory' ? toHex(root.reference.id) : undefined
  const last = LAST_READ.get(folder)
  if (last !== undefined && last.id === id) return last.remote
  const remote = await readRemoteFolder(view, signal)
  if (id !== undefined) LAST_READ.set(folder, { id, remote })
  return remote
}

/** What each folder was when it was read last, by its root, which tells all that it shows. */
const LAST_READ = new WeakMap<SyncContext['folder'], { id: string; remote: RemoteFolder }>()

/** Of a file that comes over after all nothing is told. */
function notingFailures(
  { onEvent }: SyncContext,
  failures: Map<PathText, string>,
): SyncContext['onEvent'] {
  return (event) => {
    if (event.kind === 'failed') failures.set(event.path, event.message)
    onEvent(event)
  }
}

async function scanDisk(context: SyncContext, signal: AbortSignal): Promise<Scan> {
  using _ = context.work.begin({ kind: 'reading', files: null, bytes: null })
  return await context.disk.scan(scanOptions(context, signal))
}

function scanOptions(context: SyncContext, signal: AbortSignal): ScanOptions {
  let contents: ReadonlySet<ContentHash> | undefined
  let hashes: ReadonlyMap<Signature, ContentHash> | undefined
  return {
    known: (path) => knownFile(context, path),
    knownBySignature: (signature) => (hashes ??= knownHashes(context)).get(signature),
    isKnown: (hash) => (contents ??= knownContents(context)).has(hash),
    chosen: context.chosen ?? EVERYTHING,
    onRead: (sizeBytes) => context.work.file(sizeBytes),
    signal,
  }
}

function knownContents({ records }: SyncContext): Set<ContentHash> {
  const contents = new Set<ContentHash>()
  for (const node of records.synced.values()) if (node.kind === 'file') contents.add(node.hash)
  return contents
}

/** A signature tells one file of a disk from all others, whatever its path. */
function knownHashes({ records }: SyncContext): Map<Signature, ContentHash> {
  const hashes = new Map<Signature, ContentHash>()
  for (const { synced, signature } of records.rows.values()) {
    if (synced.kind === 'file' && signature !== undefined) hashes.set(signature, synced.hash)
  }
  return hashes
}

function knownFile({ records }: SyncContext, path: PathText): KnownFile | undefined {
  const row = records.rows.get(path)
  if (row?.synced.kind !== 'file') return undefined
  return { signature: row.signature, hash: row.synced.hash }
}

/** What it replaces or takes away could have been changed since it was read, and its times would not tell. */
function isTooNew(step: Pull, { tree }: Scan): boolean {
  if (!('expects' in step) || step.expects?.kind !== 'file') return false
  // For what is taken away the same holds of where it is kept.
  const keptAt = step.kind === 'pull-removal' ? step.keptAt : undefined
  if (keptAt !== undefined && isRacyFile(tree.get(keptAt))) return true
  return isRacyFile(tree.get(step.kind === 'pull-move' ? step.from : step.path))
}

function isRacyFile(node: ScannedNode | undefined): boolean {
  return node?.kind === 'file' && node.isRacy
}

function namesOf(pulls: readonly Pull[]): Set<ContentName> {
  return new Set(pulls.filter(needsContent).map(({ node }) => contentName(node)))
}

/** What a crash left in doubt. */
async function recoverAll(
  { records }: SyncContext,
  scan: Scan,
  remote: RemoteFolder,
): Promise<void> {
  if (records.intents.size === 0) return
  const published = new Published(remote.tree)
  const changes: RecordChange[] = []
  for (const [path, intent] of records.intents) {
    const recovery = recover(intent, { path, local: scan.tree.get(path), published })
    const done = { path, intent: { is: undefined } }
    switch (recovery.kind) {
      case 'keep':
        changes.push(done)
        break
      case 'forget':
        changes.push({ ...done, row: { is: undefined } })
        break
      case 'agree':
        changes.push({ ...done, row: { is: { synced: recovery.synced } } })
        break
    }
  }
  await records.write(changes)
}

/** Rules that arrive decide on what else is wanted. */
function rulesFirst(pulls: readonly Pull[]): readonly Pull[] {
  const rules = pulls.filter(({ path }) => path === IGNORE_FILE)
  return rules.length > 0 ? rules : pulls
}

function permitted(
  { pushes, hold }: Plan,
  { folder, allowRemovals }: Pick<SyncContext, 'folder'> & { readonly allowRemovals: boolean },
): readonly Push[] {
  if (folder.power === 'read') return []
  if (hold === undefined || allowRemovals) return pushes
  return pushes.filter(({ kind }) => kind !== 'push-removal' && kind !== 'push-directory-removal')
}

/** What spares work is kept where the content is the same. */
function bookChange(book: BookStep, { rows }: SyncContext['records']): RecordChange {
  const { path } = book
  if (book.kind === 'forget') return { path, row: { is: undefined } }
  const { synced } = book
  const row = rows.get(path)
  const isSame =
    row?.synced.kind === 'file' && synced.kind === 'file' && row.synced.hash === synced.hash
  return { path, row: { is: isSame ? { ...row, synced } : { synced } } }
}

function resultOf({
  planned,
  pending,
  scan,
  remote,
  folder,
  failures,
  allowRemovals,
}: {
  planned: Plan
  pending: number
  scan: Scan
  remote: RemoteFolder
  folder: SyncContext['folder']
  failures: ReadonlyMap<PathText, string>
  allowRemovals: boolean
}): SyncResult {
  const conflicts: PathText[] = []
  for (const [path, node] of remote.tree) {
    if (node.kind !== 'directory' && node.copyOf !== undefined) conflicts.push(path)
  }
  const isHeld = folder.power === 'write' && planned.hold !== undefined && !allowRemovals
  const unsent = folder.power === 'read' ? planned.pushes.map(({ path }) => path) : []
  return {
    pending: pending + failures.size,
    problems: scan.problems,
    escaped: scan.escaped,
    hold: isHeld ? planned.hold : undefined,
    unsent: unsent.length,
    unsentPaths: unsent.slice(0, MAX_PATHS_TOLD),
    conflicts: conflicts.length,
    conflictPaths: conflicts.slice(0, MAX_PATHS_TOLD),
    failures,
  }
}
