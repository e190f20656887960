import type {
  FolderWriteCapability,
  SnapshotReadCapability,
} from '../../capabilities/capability.ts'
import type { HashedSource } from '../../grid/files/hashed-source.ts'
import type { Edit, NewVersion } from '../commit/edits.ts'
import { PathNotFoundError } from '../errors.ts'
import { formatPath, type Path } from '../names.ts'
import type { FolderContext } from './context.ts'
import { storeFile } from './contents.ts'
import { PowerMissingError } from './errors.ts'
import type {
  AcceptedState,
  CommitResult,
  EditMaker,
  EditOptions,
  FolderWriter,
  LinkTarget,
  PutFileOptions,
  ReadOptions,
} from './folder.ts'
import { linkTo } from './links.ts'
import type { OpenTree } from './open-trees.ts'
import { promoteDirectory } from './promote.ts'
import { publishEdits } from './publish.ts'
import { OpenedReader } from './reader.ts'
import { contentOf, restoringEdits } from './restore.ts'
import { acceptOlder } from './set-back.ts'
import type { FolderView } from './view.ts'

/** A folder that is open with the power to write it. */
export class OpenedWriter extends OpenedReader implements FolderWriter {
  readonly writeCapability: FolderWriteCapability
  readonly #context: FolderContext

  constructor(context: FolderContext, capability: FolderWriteCapability) {
    super(context, capability)
    this.#context = context
    this.writeCapability = capability
  }

  async edit(edits: readonly Edit[] | EditMaker, options: EditOptions = {}): Promise<CommitResult> {
    return await this.#use(async (tree) => await publishEdits(this.#context, tree, edits, options))
  }

  async putFile(
    source: AsyncIterable<Uint8Array> | HashedSource,
    options: PutFileOptions,
  ): Promise<NewVersion> {
    return await this.#use(async (tree) => await storeFile(this.#context, tree, source, options))
  }

  async promote(path: Path, options: EditOptions = {}): Promise<FolderWriteCapability> {
    const { folder, path: inner } = await this.#holderOf(path, options)
    if (folder !== this) return await folder.promote(inner, options)
    return await this.#use(
      async (tree) => await promoteDirectory(this.#context, tree, inner, options),
    )
  }

  async link(path: Path, target: LinkTarget, options: EditOptions = {}): Promise<CommitResult> {
    const { folder, path: inner } = await this.#holderOf(path, options)
    if (folder !== this) return await folder.link(inner, target, options)
    return await this.#use(async (tree) => {
      const mtimeMs = this.#context.clock.nowMs()
      const { childrenKey } = tree.keys
      const content = linkTo(target, { childrenKey, mtimeMs })
      return await publishEdits(
        this.#context,
        tree,
        [{ kind: 'put', path: inner, content }],
        options,
      )
    })
  }

  async restore(path: Path, timeMs: number, options: EditOptions = {}): Promise<CommitResult> {
    const { folder, path: inner } = await this.#holderOf(path, options)
    if (folder !== this) return await folder.restore(inner, timeMs, options)
    const then = await this.at(timeMs, options)
    return await this.edit(async (now) => await restoringEdits(now, then, inner), options)
  }

  async undelete(path: Path, options: EditOptions = {}): Promise<CommitResult> {
    const { folder, path: inner } = await this.#holderOf(path, options)
    if (folder !== this) return await folder.undelete(inner, options)
    for await (const { shown } of this.historyOf(inner, options)) {
      if (shown === undefined) continue
      const content = contentOf(shown.entry)
      const put = async (now: FolderView): Promise<Edit[]> => {
        const isThere = (await now.stat(inner)) !== undefined
        return isThere ? [] : [{ kind: 'put', path: inner, content }]
      }
      return await this.edit(put, options)
    }
    throw new PathNotFoundError(formatPath(path))
  }

  async acceptOlder(
    options: ReadOptions & { readonly force?: boolean | undefined } = {},
  ): Promise<AcceptedState> {
    return await this.#use(async (tree) => await acceptOlder(this.#context, tree, options))
  }

  /** What several devices wrote at once is joined first, so that the snapshot leads to what is on the grid. */
  override async snapshot(path: Path, options: ReadOptions = {}): Promise<SnapshotReadCapability> {
    const { folder, path: inner } = await this.#directoryOf(path, options)
    if (folder !== this) return await folder.snapshot(inner, options)
    if ((await this.now(options)).states > 1) await this.edit([], options)
    return await super.snapshot(inner, options)
  }

  /** The folder that a path's name is in. @throws PowerMissingError if it may only be read */
  async #holderOf(
    path: Path,
    { signal }: ReadOptions,
  ): Promise<{ readonly folder: FolderWriter; readonly path: Path }> {
    if (path.length < 2) return { folder: this, path }
    const now = await this.now({ signal })
    const place = await now.placeOf(path)
    if (place.view === now) return { folder: this, path }
    const { folder } = place.view.source
    if (folder?.kind !== 'folder-write') {
      throw new PowerMissingError(`"${formatPath(path)}" is in a folder that you may only read.`)
    }
    return { folder: new OpenedWriter(this.#context, folder), path: place.path }
  }

  async #directoryOf(
    path: Path,
    { signal }: ReadOptions,
  ): Promise<{ readonly folder: OpenedReader; readonly path: Path }> {
    if (path.length === 0) return { folder: this, path }
    const now = await this.now({ signal })
    const place = await now.directoryAt(path)
    const { folder } = place.view.source
    if (place.view === now || folder === undefined) return { folder: this, path }
    const opened =
      folder.kind === 'folder-write'
        ? new OpenedWriter(this.#context, folder)
        : new OpenedReader(this.#context, folder)
    return { folder: opened, path: place.path }
  }

  async #use<T>(work: (tree: OpenTree) => Promise<T>): Promise<T> {
    return await this.#context.trees.use(this.writeCapability, work)
  }
}
