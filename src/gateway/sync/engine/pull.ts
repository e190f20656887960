import { SystemFailureError } from '../../../foundation/system-failure.ts'
import { Turns } from '../../../foundation/turns.ts'
import type { FolderView } from '../../../folders/service/view.ts'
import type { DiskOutcome, Guard, Scan, Signature, StagedFile } from '../disk/sync-disk.ts'
import type { RecordChange, SyncRow } from '../records/records.ts'
import type { ShownAt } from '../remote-tree.ts'
import type { Pull, PullContent, PullDirectoryMove, PullRemoval } from '../steps.ts'
import type { ContentHash, PathText, SyncedLeaf } from '../trees.ts'
import { SameContent } from './same-content.ts'
import type { Change, SyncContext } from './context.ts'
import { fetchContent, sizeOf, type PullFile } from './fetch-content.ts'
import { filesAtOnce } from './files-at-once.ts'
import { NotEnoughSharesError } from '../../../grid/errors.ts'

/** So much becomes durable together: 256 files that are fetched, or many changes of nothing but names. */
const GROUP_WEIGHT = 256 * 32
const FETCH_WEIGHT = 32
/** And so many bytes of their contents at most, or one file: what has come takes its place before the disk is full of it. */
const GROUP_BYTES = 128 * 1024 * 1024

export interface PullContext extends SyncContext {
  readonly view: Pick<FolderView, 'readEntry'>
  readonly shown: ReadonlyMap<PathText, ShownAt>
  readonly scan: Scan
  readonly signal: AbortSignal
  /** Is told of a directory that cannot be moved as a whole. */
  readonly onStuck: (path: PathText) => void
}

/**
 * Brings what the grid has to the disk, in groups: contents are fetched beside their places, what is about to be done is
 * written down, then done, made durable and recorded, while the contents of the next group are fetched. Where the disk is
 * not what was expected, nothing is done.
 */
export async function pullAll(context: PullContext, pulls: readonly Pull[]): Promise<void> {
  const sameContent = new SameContent(context.records.rows)
  const contents = pulls.filter(needsContent)
  const bytes = contents.reduce((sum, step) => sum + contentBytes(context, step), 0)
  using _ = context.work.begin({ kind: 'fetching', files: contents.length, bytes })
  let applying = Promise.resolve()
  for (const some of groupsOf(context, pulls)) {
    const group = new PullGroup(context, some, sameContent)
    const outcomes = await Promise.allSettled([group.stage(), applying])
    const failed = outcomes.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') {
      await group[Symbol.asyncDispose]()
      throw failed.reason
    }
    applying = applyOnce(group)
  }
  await applying
}

async function applyOnce(staged: PullGroup): Promise<void> {
  await using group = staged
  await group.apply()
}

/** A file that was put on the disk. */
interface Placed {
  readonly hash: ContentHash
  /** Undefined if its user has changed it since. */
  readonly signature: Signature | undefined
  /** As of {@link ScannedFile}. */
  readonly isRacy: boolean
}

class PullGroup implements AsyncDisposable {
  readonly #context: PullContext
  readonly #pulls: readonly Pull[]
  readonly #sameContent: SameContent
  readonly #staged = new Map<PathText, StagedFile>()
  /** What this group has put on the disk. */
  readonly #placed = new Map<PathText, Placed>()

  constructor(context: PullContext, pulls: readonly Pull[], sameContent: SameContent) {
    this.#context = context
    this.#pulls = pulls
    this.#sameContent = sameContent
  }

  /** Fetches contents beside their places. */
  async stage(): Promise<void> {
    await filesAtOnce(this.#pulls, {
      sizeOf: (step) => contentBytes(this.#context, step),
      work: async (step) => await this.#stage(step),
    })
  }

  /** Removes what was staged and has no place. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const staged of this.#staged.values()) await staged[Symbol.asyncDispose]()
  }

  /** Once it is staged. */
  async apply(): Promise<void> {
    const { disk, records, clock, onEvent, onStuck } = this.#context
    const possible = this.#pulls.filter(
      (step) => !needsContent(step) || this.#staged.has(step.path),
    )
    await records.write(possible.flatMap((step) => this.#intents(step)))
    const changes: RecordChange[] = []
    const done: Pull[] = []
    const turns = new Turns(clock)
    for (const step of possible) {
      await turns.give()
      const outcome = await this.#tryApply(step)
      if (step.kind === 'pull-directory-move' && outcome?.kind !== 'done') onStuck(step.from)
      // What failed half-way is found out about as after a crash, by its intent.
      if (outcome === undefined || outcome.kind === 'unclear') continue
      changes.push(...this.#records(step, outcome))
      if (outcome.kind === 'done') done.push(step)
    }
    await disk.flush()
    await records.write(changes)
    for (const step of done) onEvent({ kind: 'received', path: step.path, change: changeOf(step) })
  }

  async #stage(step: Pull): Promise<void> {
    if (!needsContent(step)) return
    const { onEvent } = this.#context
    const work = this.#context.work.file(contentBytes(this.#context, step))
    try {
      const staged = await fetchContent(this.#context, step, this.#sameContent, work)
      if (staged !== undefined) this.#staged.set(step.path, staged)
    } catch (error) {
      // One file whose nodes are away, or that does not fit the disk, keeps no other from coming.
      if (!isOfOneFile(error)) throw error
      onEvent({ kind: 'failed', path: step.path, message: error.message })
    } finally {
      work.end()
    }
  }

  #intents(step: Pull): RecordChange[] {
    const becoming = this.#becomes(step)
    return [...becoming].map(([path, row]) => ({
      path,
      intent: { is: { kind: 'pull', becomes: row?.synced } },
    }))
  }

  #records(step: Pull, outcome: Exclude<DiskOutcome, { kind: 'unclear' }>): RecordChange[] {
    return [...this.#becomes(step)].map(([path, row]) => {
      const intent = { is: undefined }
      if (outcome.kind === 'changed') return { path, intent }
      // What lies in a directory that is moved stays what it was.
      if (step.kind === 'pull-directory-move') return { path, intent, row: { is: row } }
      const isKnown = path === step.path && outcome.isRacy !== true
      const signature = isKnown ? outcome.signature : undefined
      return { path, intent, row: { is: row && { ...row, signature } } }
    })
  }

  /** What is to be recorded of each path that a step changes. */
  #becomes(step: Pull): Map<PathText, SyncRow | undefined> {
    switch (step.kind) {
      case 'pull-directory':
        return new Map([[step.path, { synced: { kind: 'directory' } }]])
      case 'pull-removal':
      case 'pull-directory-removal':
        return new Map([[step.path, undefined]])
      case 'pull-move': {
        const { hash } = step.expects
        const { stored } = this.#context.records.rows.get(step.from) ?? {}
        const row = { synced: { ...step.node, hash }, stored }
        return new Map<PathText, SyncRow | undefined>([
          [step.path, row],
          [step.from, undefined],
        ])
      }
      case 'pull-directory-move':
        return this.#movedRows(step)
      case 'pull':
        return new Map([[step.path, this.#rowOf(step)]])
    }
  }

  #movedRows({ moved }: PullDirectoryMove): Map<PathText, SyncRow | undefined> {
    const { rows } = this.#context.records
    const becoming = new Map<PathText, SyncRow | undefined>()
    for (const { from } of moved) becoming.set(from, undefined)
    for (const { from, path, becomes } of moved) {
      becoming.set(path, { ...rows.get(from), synced: becomes })
    }
    return becoming
  }

  #rowOf({ path, node }: PullContent): SyncRow | undefined {
    if (node.kind === 'symlink') return { synced: { ...node } }
    const staged = this.#staged.get(path)
    if (staged === undefined) return undefined
    const entry = this.#context.shown.get(path)?.entry
    const stored =
      entry?.kind === 'file'
        ? { reference: entry.reference, sizeBytes: entry.sizeBytes }
        : undefined
    return { synced: { ...node, hash: staged.hash }, stored }
  }

  async #tryApply(step: Pull): Promise<DiskOutcome | undefined> {
    try {
      return await this.#apply(step)
    } catch (error) {
      if (!isOfOneFile(error)) throw error
      // Its files are moved one by one then, and tell what they meet.
      const isTold = step.kind !== 'pull-directory-move'
      if (isTold) this.#context.onEvent({ kind: 'failed', path: step.path, message: error.message })
      return undefined
    }
  }

  async #apply(step: Pull): Promise<DiskOutcome> {
    const { disk } = this.#context
    switch (step.kind) {
      case 'pull-directory':
        return await disk.makeDirectory(step.path)
      case 'pull-directory-removal':
        return await disk.removeDirectory(step.path)
      case 'pull-directory-move':
        return await disk.moveDirectory(step.from, step.path)
      case 'pull-removal': {
        const keptAt = this.#keeper(step)
        if (keptAt === 'missing') return { kind: 'changed' }
        return await disk.remove(step.path, { ...this.#guard(step.path, step.expects), keptAt })
      }
      case 'pull-move':
        return await disk.move(step.from, step.path, this.#guard(step.from, step.expects))
      case 'pull': {
        const keptAt = this.#keeper(step)
        if (keptAt === 'missing') return { kind: 'changed' }
        const guard = { ...this.#guard(step.path, step.expects), keptAt }
        if (step.node.kind === 'symlink') {
          return await disk.placeSymlink(step.node.target, step.path, guard)
        }
        const staged = this.#staged.get(step.path)
        if (staged === undefined) return { kind: 'changed' }
        const outcome = await disk.place(staged, step.path, guard)
        if (outcome.kind === 'done') {
          const { signature, isRacy = false } = outcome
          this.#placed.set(step.path, { hash: staged.hash, signature, isRacy })
        }
        return outcome
      }
    }
  }

  /**
   * What goes must be on the disk at the other place where the folder shows it: who changes it there by now has not given up
   * both. What one may only read is in the folder whatever becomes of the disk.
   */
  #keeper({ kind, keptAt, expects }: PullContent | PullRemoval): Guard['keptAt'] | 'missing' {
    const { scan, folder } = this.#context
    if (keptAt === undefined || expects?.kind !== 'file' || folder.power === 'read')
      return undefined
    const node = scan.tree.get(keptAt)
    const kept = this.#placed.get(keptAt) ?? (node?.kind === 'file' ? node : undefined)
    if (kept?.hash !== expects.hash || kept.signature === undefined) return 'missing'
    // Files are written to more than conflict copies that have just come.
    if (kind === 'pull-removal' && kept.isRacy) return 'missing'
    return { path: keptAt, signature: kept.signature }
  }

  /** The disk as it was scanned; the plan has compared that with what was agreed. */
  #guard(path: PathText, expects: SyncedLeaf | undefined): Guard {
    if (expects === undefined) return { expects: undefined }
    if (expects.kind === 'symlink') return { expects: { target: expects.target } }
    const node = this.#context.scan.tree.get(path)
    // Without a signature nothing on the disk is as expected.
    return node?.kind === 'file'
      ? { expects: { signature: node.signature } }
      : { expects: undefined }
  }
}

/** In the order in which they are to be done. */
function* groupsOf(context: PullContext, pulls: readonly Pull[]): Generator<readonly Pull[]> {
  let group: Pull[] = []
  let [weight, bytes] = [0, 0]
  for (const step of pulls) {
    const stepWeight = step.kind === 'pull' ? FETCH_WEIGHT : 1
    const stepBytes = contentBytes(context, step)
    const isFull = weight + stepWeight > GROUP_WEIGHT || bytes + stepBytes > GROUP_BYTES
    if (isFull && group.length > 0) {
      yield group
      group = []
      weight = 0
      bytes = 0
    }
    group.push(step)
    weight += stepWeight
    bytes += stepBytes
  }
  if (group.length > 0) yield group
}

/** What it has to bring. */
function contentBytes({ shown }: Pick<PullContext, 'shown'>, step: Pull): number {
  const entry = needsContent(step) ? shown.get(step.path) : undefined
  return entry === undefined ? 0 : sizeOf(entry)
}

/** Whether it brings the content of a file. */
export function needsContent(step: Pull): step is PullFile {
  return step.kind === 'pull' && step.node.kind === 'file'
}

function isOfOneFile(error: unknown): error is NotEnoughSharesError | SystemFailureError {
  return error instanceof NotEnoughSharesError || error instanceof SystemFailureError
}

function changeOf(step: Pull): Change {
  switch (step.kind) {
    case 'pull':
      return step.node.kind === 'file' ? 'file' : 'link'
    case 'pull-move':
    case 'pull-directory-move':
      return 'move'
    case 'pull-directory':
      return 'directory'
    case 'pull-removal':
    case 'pull-directory-removal':
      return 'removal'
  }
}
