import { rm } from 'node:fs/promises'
import { readJsonFile, writeJsonFile, type Fields } from './json-file.ts'
import { isAlive } from './processes.ts'

/** `running.json`: the process that runs a home's node. Left behind by one that was killed. */
export interface RunningFile {
  readonly pid: number
  /** See `processBirth`. */
  readonly birth: string
  readonly peerId: string
  /** Multiaddrs at which it listens. */
  readonly addresses: readonly string[]
  /** **Secret**: where it takes orders from its own user's commands, and the key that they show. */
  readonly operator?: { readonly port: number; readonly key: string } | undefined
  /** Which settings it goes by; see `settingsDigest`. */
  readonly settings?: string | undefined
}

const FORMAT = { format: 'hayloft-running', version: 1 }

/** @returns undefined unless the process it names is alive and the one that wrote it */
export async function readRunning(path: string): Promise<RunningFile | undefined> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return undefined
  const recorded = {
    pid: fields.whole('pid'),
    birth: fields.text('birth'),
    peerId: fields.text('peerId'),
    addresses: fields.texts('addresses'),
    ...(fields.has('operator') && { operator: operatorOf(fields.object('operator')) }),
    ...(fields.has('settings') && { settings: fields.text('settings') }),
  }
  return (await isAlive(recorded)) ? recorded : undefined
}

function operatorOf(fields: Fields): { port: number; key: string } {
  return { port: fields.whole('port'), key: fields.hex32('key') }
}

export async function writeRunning(path: string, running: RunningFile): Promise<void> {
  await writeJsonFile(path, FORMAT, running)
}

export async function removeRunning(path: string): Promise<void> {
  await rm(path, { force: true })
}
