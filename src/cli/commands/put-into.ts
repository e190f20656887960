import { realpathSync } from 'node:fs'
import type { MutableWriteCapability } from '../../capabilities/capability.ts'
import type { FolderWriter } from '../../folders/service/folder.ts'
import type { Path } from '../../folders/names.ts'
import { systemClock } from '../../foundation/system.ts'
import { LocalFiles } from '../../home/local-files.ts'
import { SeenVersions } from '../../home/seen-versions.ts'
import type { Client } from '../../library/client.ts'
import { slotKeyHex } from '../../protocol/slot-key.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { refuseUnlessDirectory } from '../folders/destination.ts'
import type { ExpectedVersion } from '../folders/expected-version.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { viewAt, writableAt } from '../folders/powers.ts'
import { putOne } from '../folders/put-one.ts'
import { reportUpload, type Uploaded } from '../folders/upload-report.ts'
import { planUpload } from '../folders/upload-plan.ts'
import { upload, uploadLabel } from '../folders/upload.ts'
import { localSource, type LocalSource } from '../local/sources.ts'
import { walkLocal, type LocalTree } from '../local/walk.ts'
import { putMutable } from '../mutable/put-mutable.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'

export interface PutIntoRequest {
  readonly sources: readonly string[]
  readonly target: string
  readonly recursive: boolean
  readonly expected: ExpectedVersion
}

/**
 * Puts files and directories into a folder. A directory becomes the target, or goes into it where the target ends in a
 * slash or is a whole folder: whether the target is there makes no difference, so that putting again continues.
 */
export async function putInto(request: PutIntoRequest, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context
  const sources = request.sources.map((each) => localSource(each, request))
  const home = openOwnHome(context.files)
  const target = await placeArgument(request.target, home.findAlias)
  const [only] = sources
  if (request.expected.kind !== 'any' && (sources.length > 1 || only?.kind === 'directory')) {
    throw usageError('The options --if-unchanged and --if-version go with one file.')
  }
  const mutable = mutableTarget(target)
  if (mutable !== undefined && (sources.length > 1 || only === undefined)) {
    throw usageError(`${target.label} is one file: put one into it.`)
  }
  await using client = await openFolderClient(context, home)
  const tools = { client, terminal, signal }
  if (mutable !== undefined && only !== undefined) {
    using seen = SeenVersions.open(context.files.seenVersions, client.account)
    const { label } = target
    const about = { capability: mutable, label, expected: request.expected }
    return await putMutable(only, about, { ...tools, seen })
  }
  if (sources.length > 1) await refuseUnlessDirectory(await viewAt(target, tools), target)
  if (sources.length === 1 && only !== undefined && only.kind !== 'directory') {
    using seen = SeenVersions.open(context.files.seenVersions, client.account)
    return await putOne(only, target, { ...tools, expected: request.expected, seen })
  }
  const uploaded: Uploaded[] = []
  for (const source of sources) {
    const place = placeFor(source, target, { several: sources.length > 1 })
    const tree = await treeOf(source, signal)
    uploaded.push(await putTree(tree, place, { client, context }))
  }
  return reportUpload(uploaded, { target, terminal })
}

/** A file that changes, if the target is one. @throws CliError if it may not be changed */
function mutableTarget({ capability, label }: Place): MutableWriteCapability | undefined {
  if (capability.kind === 'mutable-write') return capability
  if (capability.kind !== 'mutable-read' && capability.kind !== 'mutable-verify') return undefined
  const power = capability.kind === 'mutable-read' ? 'read' : 'check and repair'
  throw new CliError({
    exit: EXIT.permission,
    code: 'power-missing',
    message: `${label} lets you ${power} a file that changes, not change it. Ask whoever shared it for the power to write.`,
  })
}

/** A source as directories to put: a single file as one in a directory that is there. */
interface Tree extends LocalTree {
  readonly root: string
}

async function treeOf(source: LocalSource, signal: AbortSignal): Promise<Tree> {
  switch (source.kind) {
    case 'standard-input':
      throw usageError('Standard input, "-", is put alone: hayloft put - PLACE')
    case 'file':
      return {
        root: source.file.at.replace(/\/?[^/]*$/, '') || '.',
        directories: [{ path: [], files: [source.file] }],
        skipped: [],
      }
    case 'directory':
      return { root: source.at, ...(await walkLocal(source.at, signal)) }
  }
}

/** Where the files of a tree go: a directory is the target itself, or in it under its name. */
function placeFor(source: LocalSource, target: Place, { several }: { several: boolean }): Place {
  if (source.kind !== 'directory' || source.name === undefined) return target
  const goesInto = several || target.isDirectory || target.path.length === 0
  return goesInto ? { ...target, path: [...target.path, source.name] } : target
}

async function putTree(
  tree: Tree,
  place: Place,
  { client, context }: { client: Client; context: CommandContext },
): Promise<Uploaded> {
  const { terminal, signal, files } = context
  const top = await writableAt(place, { client, signal })
  const plan = await planUpload(tree.directories, top, { root: tree.root, signal })
  const remembered = await LocalFiles.open(files.localFiles, pairOf(tree.root, top), {
    account: client.account,
    clock: systemClock,
  })
  const label = uploadLabel(plan, tree.root)
  const report = await upload(plan, { remembered, label, terminal, signal })
  return { ...report, skipped: tree.skipped }
}

function pairOf(root: string, { folder, path }: { folder: FolderWriter; path: Path }): string {
  return [realpathSync(root), slotKeyHex(folder.capability.slot), ...path].join('\0')
}
