import { mapConcurrently } from '../../foundation/concurrency.ts'
import type { Name, Path } from '../../folders/names.ts'
import type { Shown } from '../../folders/read.ts'
import type { FolderWriter } from '../../folders/service/folder.ts'
import type { FolderView } from '../../folders/service/view.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, failureOf, type Failure } from '../failures.ts'
import type { LocalDirectory, LocalFile } from '../local/walk.ts'
import { locateWritable, type Writable } from './powers.ts'

/** What is to become of local files, compared with what the folder has. */
export interface UploadPlan {
  /** Directories that the folder lacks. */
  readonly directories: readonly Writable[]
  readonly files: readonly PlannedFile[]
  readonly failed: readonly FailedFile[]
}

export interface PlannedFile {
  readonly file: LocalFile
  readonly folder: FolderWriter
  readonly path: Path
  /** What the folder has there. */
  readonly shown: Shown | undefined
}

export interface FailedFile {
  readonly at: string
  readonly failure: Failure
}

interface Placement extends Writable {
  readonly view: FolderView
  readonly entries: ReadonlyMap<Name, Shown>
  /** Whether the folder has that directory. */
  readonly isThere: boolean
}

const DIRECTORIES_AT_ONCE = 32

/**
 * Finds for each local directory where it goes, over links if there are any, and what is there.
 * @param top where the first of them goes
 */
export async function planUpload(
  directories: readonly LocalDirectory[],
  top: Writable,
  { root, signal }: { readonly root: string; readonly signal: AbortSignal },
): Promise<UploadPlan> {
  const plan = {
    directories: [] as Writable[],
    files: [] as PlannedFile[],
    failed: [] as FailedFile[],
  }
  const placed = new Map<string, Placement>()
  for (const level of levelsOf(directories)) {
    await mapConcurrently(level, DIRECTORIES_AT_ONCE, async ({ path, files }) => {
      signal.throwIfAborted()
      try {
        const placement = await placementOf(path, { placed, top, signal })
        // Its parent failed, and that was told.
        if (placement === undefined) return
        placed.set(path.join('/'), placement)
        if (!placement.isThere) plan.directories.push(placement)
        for (const file of files) planFile(file, placement, plan)
      } catch (thrown) {
        if (!(thrown instanceof CliError)) throw thrown
        plan.failed.push({ at: [root, ...path].join('/'), failure: failureOf(thrown) })
      }
    })
  }
  return plan
}

/** Directories of one depth each, since where one goes depends on where its parent went. */
function levelsOf(directories: readonly LocalDirectory[]): LocalDirectory[][] {
  const levels: LocalDirectory[][] = []
  for (const directory of directories) {
    const level = (levels[directory.path.length] ??= [])
    level.push(directory)
  }
  return levels
}

async function placementOf(
  path: Path,
  {
    placed,
    top,
    signal,
  }: { placed: ReadonlyMap<string, Placement>; top: Writable; signal: AbortSignal },
): Promise<Placement | undefined> {
  const name = path.at(-1)
  if (name === undefined) {
    const view = await top.folder.now({ signal })
    return await openPlacement({ ...top, view }, await view.stat(top.path), signal)
  }
  const parent = placed.get(path.slice(0, -1).join('/'))
  if (parent === undefined) return undefined
  const { folder, view } = parent
  const here = { folder, view, path: [...parent.path, name] }
  return await openPlacement(here, parent.entries.get(name), signal)
}

async function openPlacement(
  here: Writable & { readonly view: FolderView },
  shown: Shown | undefined,
  signal: AbortSignal,
): Promise<Placement> {
  if (shown === undefined) return { ...here, entries: new Map(), isThere: false }
  const { kind } = shown.entry
  if (kind !== 'directory' && kind !== 'linked-folder') {
    throw inTheWay(`${here.path.join('/')} is a file in the folder, and a directory here`)
  }
  const { folder, path, view } = kind === 'linked-folder' ? await enterLink(here, signal) : here
  const entries = new Map((await view.list(path)).map((each) => [each.name, each]))
  return { folder, path, view, entries, isThere: true }
}

async function enterLink(
  { folder, path }: Writable,
  signal: AbortSignal,
): Promise<Writable & { readonly view: FolderView }> {
  const located = await locateWritable(folder, path, { label: path.join('/'), signal })
  return { ...located, view: await located.folder.now({ signal }) }
}

function planFile(
  file: LocalFile,
  { folder, path, entries }: Placement,
  plan: { readonly files: PlannedFile[]; readonly failed: FailedFile[] },
): void {
  const shown = entries.get(file.name)
  const kind = shown?.entry.kind
  if (kind === 'directory' || kind === 'linked-folder') {
    const failure = inTheWay(`${file.at} is a file here, and a directory in the folder`)
    plan.failed.push({ at: file.at, failure })
  } else if (kind === 'linked-file') {
    const failure = inTheWay(`${file.at} is a link to a file of its own in the folder`)
    plan.failed.push({ at: file.at, failure })
  } else {
    plan.files.push({ file, folder, path: [...path, file.name], shown })
  }
}

function inTheWay(what: string): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'in-the-way',
    message: `${what}. Move or remove one of them.`,
  })
}
