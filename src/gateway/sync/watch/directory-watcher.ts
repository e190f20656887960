import { Worker } from 'node:worker_threads'
import { deferred } from '../../../foundation/concurrency.ts'
import { OWN_DIRECTORY } from '../disk/root-marker.ts'
import type { WatchMessage, WatchRequest } from './messages.ts'

/** Tells that something in a directory may have changed: early, but only the scan knows what and whether. */
export interface Watcher extends AsyncDisposable {
  /** Why some of it is not watched; undefined while all of it is. */
  readonly degraded: string | undefined
}

/** So that a folder of pathological width does not take all that the system has for everyone. */
const MAX_WATCHES = 200_000

/** Resolves once all directories that are there are watched, as far as the system lets them be. */
export async function watchDirectory(
  root: string,
  onChange: (directory?: string) => void,
  { maxWatches = MAX_WATCHES, platform = process.platform } = {},
): Promise<Watcher> {
  const isRecursive = platform === 'darwin' || platform === 'win32'
  const workerData: WatchRequest = { root, ignored: OWN_DIRECTORY, isRecursive, maxWatches }
  const worker = new Worker(WORKER, { workerData })
  let degraded: string | undefined
  const ready = deferred()
  worker.on('message', (message: WatchMessage) => {
    switch (message.kind) {
      case 'ready':
        ready.resolve()
        break
      case 'changed':
        onChange(message.directory)
        break
      case 'degraded':
        degraded = message.why
        break
    }
  })
  worker.on('error', (error) => {
    degraded = error.message
    ready.resolve()
  })
  await ready.promise
  return {
    get degraded() {
      return degraded
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}

/** What the build makes of it; all that the build makes lies one folder below `dist`. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts')
    ? '../../../../dist/gateway/sync/watch/watch-worker.js'
    : '../gateway/sync/watch/watch-worker.js',
  import.meta.url,
)
