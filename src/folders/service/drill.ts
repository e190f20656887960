import { HayloftError } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import { formatPath, type Path } from '../names.ts'
import type { Shown } from '../read.ts'
import type { FolderContext } from './context.ts'
import type { FolderView } from './view.ts'

/** How much to fetch of a folder, to see that it can be had. */
export interface DrillOptions {
  /** How many files to fetch, or all if there are fewer. */
  readonly files: number
  readonly signal?: AbortSignal | undefined
  /** Called after each file. */
  readonly onProgress?: ((doneBytes: number) => void) | undefined
}

/** What became of a drill. */
export interface FolderDrill {
  /** Files that there are to choose from, linked folders and what changes included. */
  readonly found: number
  readonly tried: number
  /** Came as they were stored. */
  readonly whole: number
  readonly bytes: number
  readonly failed: readonly { readonly path: string; readonly error: HayloftError }[]
}

/**
 * Fetches some files of a folder, chosen by chance, and checks every byte on the way as any reader does. Of a large file
 * it is a part, also chosen by chance. What is small enough to stand in its directory was read with that.
 */
export async function drillFolder(
  context: FolderContext,
  view: FolderView,
  options: DrillOptions,
): Promise<FolderDrill> {
  const { signal } = options
  const failed: { path: string; error: HayloftError }[] = []
  const { found, sample } = await chooseFiles(context, view, options, (path, error) => {
    failed.push({ path: formatPath(path), error })
  })
  // A linked folder that cannot be entered was tried, too.
  let tried = failed.length
  let [whole, bytes] = [0, 0]
  for (const file of sample) {
    tried += 1
    try {
      bytes += await fetchPart(context, view, file, signal)
      whole += 1
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof HayloftError)) throw error
      failed.push({ path: formatPath(file.path), error })
    }
    options.onProgress?.(bytes)
  }
  return { found, tried, whole, bytes, failed }
}

type File = Shown & { readonly path: Path }

/** Each file with the same chance, whatever their number: reservoir sampling, as in `Sampler`. */
async function chooseFiles(
  { randomness }: FolderContext,
  view: FolderView,
  { files, signal }: DrillOptions,
  onUnreadable: (path: Path, error: HayloftError) => void,
): Promise<{ found: number; sample: File[] }> {
  const sample: File[] = []
  let found = 0
  for await (const shown of view.walk([], { links: true, onUnreadable, signal })) {
    const { kind } = shown.entry
    if (kind !== 'file' && kind !== 'linked-file') continue
    found += 1
    const at = sample.length < files ? sample.length : randomBelow(randomness, found)
    if (at < files) sample[at] = shown
  }
  return { found, sample }
}

async function fetchPart(
  { randomness }: FolderContext,
  view: FolderView,
  file: File,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { entry } = file
  const sizeBytes = entry.kind === 'file' ? entry.sizeBytes : 0
  const offset = randomBelow(randomness, Math.max(1, sizeBytes - PART_BYTES))
  const range = sizeBytes > PART_BYTES ? { offset, length: PART_BYTES } : undefined
  const download = await view.readEntry(file, { range, signal })
  let bytes = 0
  for await (const chunk of download.chunks) bytes += chunk.length
  return bytes
}

/** Of a file that is larger, so that a drill takes minutes at most. */
const PART_BYTES = 32 * 1024 * 1024
