import type {
  FileReadCapability,
  LiteralCapability,
  MutableReadCapability,
  MutableWriteCapability,
} from '../../capabilities/capability.ts'
import { sha256, sha256Parts } from '../../crypto/hash.ts'
import { formatPath } from '../../folders/names.ts'
import { sizeOf } from '../../folders/entry.ts'
import { NotAFileError, PowerMissingError } from '../../folders/service/errors.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import { toHex, utf8 } from '../../foundation/bytes.ts'
import type { Download, GetOptions } from '../../grid/download.ts'
import { contentName, type FileVersion } from '../../grid/mutable/version.ts'
import { blockIdHex } from '../../protocol/block-id.ts'
import type { ApiContext } from './context.ts'
import { shownAt, unsuitable, viewAt, type FoundPlace } from '../places.ts'

/** A file that can be read, as it is now. */
export interface Readable {
  readonly sizeBytes: number
  /** In quotes, as headers have it. */
  readonly etag: string
  readonly modifiedMs?: number | undefined
  readonly open: (options: GetOptions) => Promise<Download>
}

/** The file at a place: in a folder, or by a capability of its own. */
export async function readableAt(
  place: FoundPlace,
  context: ApiContext,
  signal: AbortSignal,
): Promise<Readable> {
  if (place.path.length === 0) return await readableAlone(place, context, signal)
  const view = await viewAt(place, context, signal)
  const shown = await shownAt(view, place.path)
  const { entry } = shown
  switch (entry.kind) {
    case 'file':
    case 'literal':
      return {
        sizeBytes: sizeOf(entry),
        etag: `"${versionOf(shown)}"`,
        modifiedMs: entry.mtimeMs,
        open: async (options) => await view.readEntry(shown, options),
      }
    case 'linked-file': {
      const capability = await view.capability(place.path, 'read')
      return await readableAlone({ capability, path: [] }, context, signal)
    }
    case 'directory':
    case 'linked-folder':
    case 'symlink':
      throw new NotAFileError(formatPath(place.path))
  }
}

async function readableAlone(
  { capability }: FoundPlace,
  { client }: ApiContext,
  signal: AbortSignal,
): Promise<Readable> {
  switch (capability.kind) {
    case 'file-read':
    case 'literal':
      return await readableForGood(capability, { client }, signal)
    case 'mutable-read':
    case 'mutable-write':
      return await readableNow(capability, { client }, signal)
    case 'folder-write':
    case 'folder-read':
    case 'snapshot-read':
      throw unsuitable(capability, 'a file, or a path below that of a folder')
    case 'file-verify':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
      throw new PowerMissingError('This capability lets its holder check and repair, not read.')
  }
}

async function readableForGood(
  capability: FileReadCapability | LiteralCapability,
  { client }: Pick<ApiContext, 'client'>,
  signal: AbortSignal,
): Promise<Readable> {
  const open = async (options: GetOptions): Promise<Download> =>
    await client.grid.get(capability, options)
  const { sizeBytes } = await open({ range: { offset: 0, length: 0 }, signal })
  const id =
    capability.kind === 'literal' ? toHex(sha256(capability.bytes)) : blockIdHex(capability.id)
  return { sizeBytes, etag: `"${id}"`, open }
}

async function readableNow(
  capability: MutableReadCapability | MutableWriteCapability,
  { client }: Pick<ApiContext, 'client'>,
  signal: AbortSignal,
): Promise<Readable> {
  const { current } = await client.mutableFiles.look(capability, { signal })
  return {
    sizeBytes: current.sizeBytes,
    etag: mutableEtag(current),
    modifiedMs: current.modifiedMs,
    open: async (options) => await client.mutableFiles.read(current, options),
  }
}

/** Of one content of a file that changes. */
export function mutableEtag({
  content,
  modifiedMs,
}: Pick<FileVersion, 'content' | 'modifiedMs'>): string {
  return `"${toHex(sha256Parts([contentName(content), utf8(String(modifiedMs))]).subarray(0, 16))}"`
}
