import { readdirSync, watch, type FSWatcher } from 'node:fs'
import { join, sep } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { WatchMessage, WatchRequest } from './messages.ts'

/**
 * Watches a directory tree in a thread of its own, for the system drops what is not taken at once. On Linux each directory has a
 * watch of its own; macOS and Windows watch whole trees by themselves. Symbolic links are not followed.
 */
const { root, ignored, isRecursive, maxWatches } = workerData as WatchRequest
const watchers = new Map<string, FSWatcher>()
let isDegraded = false

function tell(message: WatchMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origins
  parentPort?.postMessage(message)
}

function watchTree(top: string): void {
  const waiting = [top]
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    if (at === join(root, ignored) || !watchOne(at)) continue
    if (isRecursive) return
    try {
      for (const entry of readdirSync(at, { withFileTypes: true })) {
        if (entry.isDirectory()) waiting.push(join(at, entry.name))
      }
    } catch {
      // Gone already, or not ours to read: the scan tells.
    }
  }
}

function watchOne(at: string): boolean {
  if (watchers.has(at)) return true
  if (watchers.size >= maxWatches) {
    degrade('more directories than may be watched')
    return false
  }
  try {
    const watcher = watch(at, { persistent: true, recursive: isRecursive }, (event, name) => {
      changed(at, event, name)
    })
    watcher.on('error', () => {
      forget(at)
      tell({ kind: 'changed' })
    })
    watchers.set(at, watcher)
    return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'ENOSPC' || code === 'EMFILE') degrade('the system gives no more watches')
    return false
  }
}

function changed(at: string, event: string, name: string | null): void {
  if (at === root && (name === ignored || name?.startsWith(`${ignored}/`) === true)) return
  // Where the system watches the whole tree, it may write names in another form than the disk does.
  tell({ kind: 'changed', directory: isRecursive ? undefined : at })
  if (isRecursive || event !== 'rename' || name === null) return
  const child = join(at, name)
  // What was here may be another directory now; what is in it came before its watch did. Nothing below is watched without it.
  if (watchers.has(child)) {
    for (const known of watchers.keys()) if (isWithin(child, known)) forget(known)
  }
  try {
    readdirSync(child)
  } catch {
    return
  }
  watchTree(child)
  // What came into it before its watch did is told by nobody else.
  for (const known of watchers.keys()) {
    if (isWithin(child, known)) tell({ kind: 'changed', directory: known })
  }
}

function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}${sep}`)
}

function forget(at: string): void {
  watchers.get(at)?.close()
  watchers.delete(at)
}

/** Said once: from then on the tree is looked through more often. */
function degrade(why: string): void {
  if (isDegraded) return
  isDegraded = true
  tell({ kind: 'degraded', why })
}

watchTree(root)
tell({ kind: 'ready', watches: watchers.size })
