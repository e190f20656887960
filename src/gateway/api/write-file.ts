import type { MutableWriteCapability } from '../../capabilities/capability.ts'
import type { NewVersion } from '../../folders/commit/edits.ts'
import type { Entry } from '../../folders/entry.ts'
import { IsADirectoryError } from '../../folders/errors.ts'
import { formatPath } from '../../folders/names.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import type { ApiContext } from './context.ts'
import { ApiError } from './errors.ts'
import { unsuitable, writableEntryAt, type FoundPlace } from '../places.ts'
import { hasTag } from './ranges.ts'
import { mutableEtag } from './readable.ts'

/** A content that is to be at a place. */
export interface FileWrite {
  readonly content: AsyncIterable<Uint8Array>
  readonly modifiedMs: number
  readonly isExecutable: boolean
  /** Headers of these names: what has to be there, or must not. */
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly onProgress: (doneBytes: number) => void
  readonly signal: AbortSignal
}

/** What became of it. It is stored for good by then. */
export interface FileWritten {
  /** Undefined where somebody else wrote right after. */
  readonly etag: string | undefined
  readonly isNew: boolean
  readonly size: number
  readonly durability: 'durable' | 'degraded' | 'unchanged'
}

/** Puts a file at a place of a folder, or gives a file that changes its new content. */
export async function writeFile(
  place: FoundPlace,
  write: FileWrite,
  context: ApiContext,
): Promise<FileWritten> {
  const { capability } = place
  if (capability.kind === 'mutable-write' && place.path.length === 0) {
    return await writeMutable(capability, write, context)
  }
  if (place.path.length === 0)
    throw unsuitable(capability, 'a file that changes, or a path below that of a folder')
  const { signal } = write
  const { folder, path } = await writableEntryAt(place, context, signal)
  const view = await folder.now({ signal })
  const before = await view.stat(path)
  if (before?.entry.kind === 'linked-file') {
    const linked = await view.capability(path, 'write')
    assert(linked.kind === 'mutable-write', 'a link to a file that changes leads to one')
    return await writeMutable(linked, write, context)
  }
  if (before?.entry.kind === 'directory' || before?.entry.kind === 'linked-folder') {
    throw new IsADirectoryError(formatPath(path))
  }
  const version = before && versionOf(before)
  const isConditional = checkCondition(write, version && `"${version}"`)
  let size = 0
  const { modifiedMs: mtimeMs, isExecutable } = write
  const content = await folder.putFile(
    counted(write, (bytes) => (size = bytes)),
    {
      mtimeMs,
      isExecutable,
      signal,
    },
  )
  const { durability } = await folder.edit([{ kind: 'put', path, content }], {
    ...(isConditional && { ifUnchanged: [{ path, version }] }),
    signal,
  })
  const after = await (await folder.now({ signal })).stat(path)
  const isOwn = after !== undefined && hasContent(after.entry, content)
  const etag = isOwn ? `"${versionOf(after)}"` : undefined
  return { etag, isNew: before === undefined, size, durability }
}

async function writeMutable(
  capability: MutableWriteCapability,
  write: FileWrite,
  { client }: ApiContext,
): Promise<FileWritten> {
  const { signal, modifiedMs } = write
  const isAsked = write.ifMatch !== undefined || write.ifNoneMatch !== undefined
  const current = isAsked
    ? (await client.mutableFiles.look(capability, { signal })).current
    : undefined
  const isConditional = checkCondition(write, current && mutableEtag(current))
  const written = await client.mutableFiles.write(
    capability,
    counted(write, () => undefined),
    {
      ...(isConditional && { ifVersion: current }),
      modifiedMs,
      signal,
    },
  )
  const { version, durability } = written
  return {
    etag: mutableEtag(version),
    isNew: false,
    size: version.sizeBytes,
    durability,
  }
}

/** @returns whether there is one, and what is there now must still be there. @throws ApiError if it does not hold */
function checkCondition(
  { ifMatch, ifNoneMatch }: Pick<FileWrite, 'ifMatch' | 'ifNoneMatch'>,
  etag: string | undefined,
): boolean {
  if (ifMatch !== undefined && !hasTag(ifMatch, etag)) throw new ApiError('version-differs')
  if (ifNoneMatch !== undefined && hasTag(ifNoneMatch, etag)) throw new ApiError('version-differs')
  return ifMatch !== undefined || ifNoneMatch !== undefined
}

async function* counted(
  { content, onProgress }: FileWrite,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of content) {
    yield chunk
    bytes += chunk.length
    onBytes(bytes)
    onProgress(bytes)
  }
}

function hasContent(entry: Entry, content: NewVersion): boolean {
  if (entry.kind === 'file' && content.kind === 'file') {
    return (
      equalBytes(entry.reference.key, content.reference.key) && entry.mtimeMs === content.mtimeMs
    )
  }
  if (entry.kind !== 'literal' || content.kind !== 'literal') return false
  return equalBytes(entry.bytes, content.bytes) && entry.mtimeMs === content.mtimeMs
}
