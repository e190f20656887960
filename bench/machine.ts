import { statfs } from 'node:fs/promises'
import { availableParallelism, cpus, release, totalmem, type as systemName } from 'node:os'
import process from 'node:process'
import { loadErasureEngine } from '../src/erasure/engines.ts'

/** What has to be known of a machine to make anything of its figures. */
export interface Machine {
  readonly processors: number
  readonly processor: string
  readonly memoryBytes: number
  readonly system: string
  readonly node: string
  readonly openssl: string
  readonly erasureEngine: string
  /** In memory, syncing a file costs nothing, and durable writes look better than they are. */
  readonly isDiskInMemory: boolean
}

export async function describeMachine(dir: string): Promise<Machine> {
  return {
    processors: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    system: `${systemName()} ${release()}`,
    node: process.version,
    openssl: process.versions.openssl,
    erasureEngine: loadErasureEngine().name,
    isDiskInMemory: process.platform === 'linux' && (await statfs(dir)).type === TMPFS_MAGIC,
  }
}

/** Type of a tmpfs in statfs(2). */
const TMPFS_MAGIC = 0x01021994
