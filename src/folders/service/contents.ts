import { assert } from '../../foundation/error.ts'
import { KIND_DATA } from '../../grid/blocks/frame.ts'
import type { Download, GetOptions } from '../../grid/download.ts'
import { isHashed, type HashedSource } from '../../grid/files/hashed-source.ts'
import { checkVerifyKey } from '../../grid/files/index-node.ts'
import { readAhead } from '../../grid/files/read-ahead.ts'
import type { NewVersion } from '../commit/edits.ts'
import { MAX_LITERAL_BYTES } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import type { Shown } from '../read.ts'
import type { FolderContext } from './context.ts'
import { NotAFileError } from './errors.ts'
import type { PutFileOptions } from './folder.ts'
import { linkedReader } from './links.ts'
import type { OpenTree } from './open-trees.ts'

/**
 * Stores a file of a folder. The folder itself holds what is very small; what is small is stored with whatever else the
 * tree sends, at its next flush; what is large is uploaded at once.
 */
export async function storeFile(
  { grid }: FolderContext,
  tree: OpenTree,
  source: AsyncIterable<Uint8Array> | HashedSource,
  { mtimeMs, isExecutable, signal, onProgress }: PutFileOptions,
): Promise<NewVersion> {
  const about = { mtimeMs, isExecutable }
  // What was hashed is large.
  const ahead = isHashed(source)
    ? ({ kind: 'large', source } as const)
    : await readAhead(source, signal)
  if (ahead.kind === 'small') {
    const { content } = ahead
    onProgress?.({ kind: 'progress', phase: 'upload', doneBytes: content.length })
    return await storeSmall(tree, content, about)
  }
  const { capability, sizeBytes } = await grid.put(ahead.source, {
    convergence: tree.keys.convergence,
    signal,
    onProgress,
  })
  assert(capability.kind === 'file-read', 'what is not small is no literal')
  const { key, id } = capability
  return { kind: 'file', reference: { key, id }, sizeBytes, ...about }
}

/**
 * Reads what is shown as a file.
 * @throws NotAFileError; BrokenFolderError, BrokenFileError if it is not of the size or the keys that its entry says
 */
export async function readShown(
  { grid, mutables }: FolderContext,
  { entry }: Pick<Shown, 'entry'>,
  { path, ...options }: GetOptions & { path: string },
): Promise<Download> {
  switch (entry.kind) {
    case 'file': {
      checkVerifyKey(entry.reference, entry.verifyKey)
      const download = await grid.get({ kind: 'file-read', ...entry.reference }, options)
      if (download.sizeBytes !== entry.sizeBytes) {
        throw new BrokenFolderError('a file has another size than its entry says')
      }
      return download
    }
    case 'literal':
      return await grid.get({ kind: 'literal', bytes: entry.bytes }, options)
    case 'linked-file': {
      const reader = { kind: 'mutable-read' as const, ...linkedReader(entry) }
      const { current } = await mutables.look(reader, { signal: options.signal })
      return await mutables.read(current, options)
    }
    case 'directory':
    case 'linked-folder':
    case 'symlink':
      throw new NotAFileError(path)
  }
}

async function storeSmall(
  tree: OpenTree,
  content: Uint8Array,
  about: Pick<PutFileOptions, 'mtimeMs' | 'isExecutable'>,
): Promise<NewVersion> {
  if (content.length <= MAX_LITERAL_BYTES) return { kind: 'literal', bytes: content, ...about }
  const reference = await tree.putContent({ kind: KIND_DATA, level: 0, links: [], content })
  return { kind: 'file', reference, sizeBytes: content.length, ...about }
}
