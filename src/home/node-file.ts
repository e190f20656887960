import { readJsonFile, writeJsonFile } from './json-file.ts'

/** `node.json`: how a home's storage node is to run. `hayloft node config` changes it, and so may its operator. */
export interface NodeFile {
  /** Multiaddrs. Port 0 lets the system choose one, which is kept for later starts. */
  readonly listen: readonly string[]
  /** What it offers to the grid. */
  readonly capacityBytes: number
  /** Left free on the disk, whatever is offered. */
  readonly reserveBytes: number
  /** What each account may store on it, unless the grid says otherwise; undefined for what its own nodes offer. */
  readonly accountQuotaBytes?: number | undefined
  /** The household that it stands in. */
  readonly zone?: string | undefined
  /** Whether others reach it from outside: found out (`auto`, the default), or known to its operator. */
  readonly reachable?: 'auto' | 'yes' | 'no' | undefined
  /** Whether to ask the router to forward its port, by UPnP or NAT-PMP; true by default. */
  readonly portMapping?: boolean | undefined
  /** Further multiaddrs at which it is reached: a name, or a port that a router was told to forward. */
  readonly announce?: readonly string[] | undefined
  /** Whether it also looks after what the account of its home keeps; undefined for yes. */
  readonly maintain?: boolean | undefined
  /** Whether it gives away what it keeps and takes nothing new. */
  readonly draining?: boolean | undefined
}

/** What is to be changed of how a node runs; what is undefined stays, and null takes a limit away. */
export interface NodeChange {
  readonly capacityBytes?: number | undefined
  readonly reserveBytes?: number | undefined
  readonly accountQuotaBytes?: number | null | undefined
  readonly uploadBytesPerS?: number | null | undefined
  readonly downloadBytesPerS?: number | null | undefined
  readonly zone?: string | undefined
  readonly listen?: readonly string[] | undefined
  readonly announce?: readonly string[] | undefined
  readonly reachable?: NodeFile['reachable']
  readonly portMapping?: boolean | undefined
  readonly maintain?: boolean | undefined
}

/** How a node is to run, as programs are told. */
export interface NodeConfigJson {
  listen: string[]
  capacityBytes: number
  reserveBytes: number
  accountQuotaBytes: number | null
  zone: string | null
  uploadBytesPerS: number | null
  downloadBytesPerS: number | null
  reachable: (typeof REACHABLE)[number]
  portMapping: boolean
  announce: string[]
  draining: boolean
  maintain: boolean
}

const FORMAT = { format: 'hayloft-node', version: 1 }

export const REACHABLE = ['auto', 'yes', 'no'] as const

/** What a file that does not name a reserve leaves free. */
export const DEFAULT_RESERVE_BYTES = 128 * 1024 * 1024

/** @returns undefined if there is no such file */
export async function readNodeFile(path: string): Promise<NodeFile | undefined> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return undefined
  return {
    listen: fields.texts('listen'),
    capacityBytes: fields.whole('capacityBytes'),
    reserveBytes: fields.has('reserveBytes') ? fields.whole('reserveBytes') : DEFAULT_RESERVE_BYTES,
    ...(fields.has('accountQuotaBytes') && {
      accountQuotaBytes: fields.whole('accountQuotaBytes'),
    }),
    ...(fields.has('zone') && { zone: fields.text('zone') }),
    ...(fields.has('reachable') && { reachable: fields.oneOf('reachable', REACHABLE) }),
    ...(fields.has('portMapping') && { portMapping: fields.flag('portMapping') }),
    ...(fields.has('announce') && { announce: fields.texts('announce') }),
    ...(fields.has('maintain') && { maintain: fields.flag('maintain') }),
    ...(fields.has('draining') && { draining: fields.flag('draining') }),
  }
}

export async function writeNodeFile(path: string, node: NodeFile): Promise<void> {
  await writeJsonFile(path, FORMAT, node)
}
