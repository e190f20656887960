import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandomness } from '../src/foundation/system.ts'
import { markRoot } from '../src/gateway/sync/disk/root-marker.ts'
import type { KnownFile, Scan } from '../src/gateway/sync/disk/sync-disk.ts'
import { SystemSyncDisk } from '../src/gateway/sync/disk/system-sync-disk.ts'
import { EVERYTHING } from '../src/gateway/sync/selection.ts'
import type { PathText } from '../src/gateway/sync/trees.ts'

const FILES_IN_A_DIRECTORY = 100
const RUNS = 5

/**
 * What it takes to look at every file of a directory in which nothing has changed.
 * @returns the least processor time of several runs, in seconds
 */
export async function scanSeconds(files: number): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'hayloft-bench-scan-'))
  try {
    await markRoot(root, 'a bench')
    for (let file = 0; file < files; file++) {
      const directory = join(root, `${Math.floor(file / FILES_IN_A_DIRECTORY)}`)
      if (file % FILES_IN_A_DIRECTORY === 0) await mkdir(directory)
      await writeFile(join(directory, `${file}`), `${file}`)
    }
    const disk = new SystemSyncDisk(root, 'a bench', {
      clock: systemClock,
      randomness: systemRandomness,
    })
    const known = new Map<PathText, KnownFile>()
    const scan = async (): Promise<Scan> => {
      disk.noteChange()
      return await disk.scan({
        known: (path) => known.get(path),
        knownBySignature: () => undefined,
        isKnown: () => true,
        chosen: EVERYTHING,
        signal: new AbortController().signal,
      })
    }
    for (const [path, node] of (await scan()).tree) {
      if (node.kind === 'file') known.set(path, { hash: node.hash, signature: node.signature })
    }
    const seconds: number[] = []
    for (let run = 0; run < RUNS; run++) {
      const before = process.cpuUsage()
      await scan()
      const { user, system } = process.cpuUsage(before)
      seconds.push((user + system) / 1e6)
    }
    return Math.min(...seconds)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}
