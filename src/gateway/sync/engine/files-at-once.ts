import { finishConcurrently, Semaphore } from '../../../foundation/concurrency.ts'

/** Small files wait for round trips and disks, not for bytes: many at once share messages. */
const FILES_AT_ONCE = 96
/** Bytes of files in flight: one large file fills the pipeline by itself, and takes them all. */
const BYTES_AT_ONCE = 12 * 1024 * 1024
/** What a file costs besides its bytes, so that even empty ones are bounded. */
const FILE_OVERHEAD_BYTES = 4096

/** Does `work` for many files at once, as far as their bytes allow, and ends when all that was begun has ended. */
export async function filesAtOnce<T, R>(
  items: readonly T[],
  { sizeOf, work }: { sizeOf: (item: T) => number; work: (item: T) => Promise<R> },
): Promise<R[]> {
  const bytes = new Semaphore(BYTES_AT_ONCE)
  return await finishConcurrently(items, FILES_AT_ONCE, async (item) => {
    const release = await bytes.acquire(FILE_OVERHEAD_BYTES + sizeOf(item))
    try {
      return await work(item)
    } finally {
      release()
    }
  })
}
