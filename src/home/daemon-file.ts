import { rm } from 'node:fs/promises'
import { nodeKey, type NodeKey } from '../protocol/node-key.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'
import type { HomeFiles } from './layout.ts'
import { isAlive, processBirth } from './processes.ts'

/** `daemon.json`: the daemon of a home, once it is ready. Left behind by one that was killed. */
export interface DaemonFile {
  readonly pid: number
  /** ms since 1970 */
  readonly startedMs: number
  /** Where its API listens, on 127.0.0.1. */
  readonly port: number
  /** As whom it is in the grid. */
  readonly self: NodeKey
}

const FORMAT = { format: 'hayloft-daemon', version: 1 }

/** The daemon of a home, if it runs and is ready. */
export async function readDaemon({ daemon }: HomeFiles): Promise<DaemonFile | undefined> {
  const fields = await readJsonFile(daemon, FORMAT)
  // One without these is of a program that had no API, and has ended.
  if (fields?.has('self') !== true) return undefined
  const recorded = { pid: fields.whole('pid'), birth: fields.text('birth') }
  if (!(await isAlive(recorded))) return undefined
  return {
    pid: recorded.pid,
    startedMs: fields.whole('startedMs'),
    port: fields.whole('port'),
    self: nodeKey(fields.hex32('self')),
  }
}

/** Records this process as the daemon. */
export async function writeDaemon(
  { daemon }: HomeFiles,
  about: Omit<DaemonFile, 'pid'>,
): Promise<void> {
  const { pid } = process
  await writeJsonFile(daemon, FORMAT, { pid, birth: (await processBirth(pid)) ?? '', ...about })
}

export async function removeDaemon({ daemon }: HomeFiles): Promise<void> {
  await rm(daemon, { force: true })
}
