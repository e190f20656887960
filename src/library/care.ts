import { rootFolderOf } from '../capabilities/account.ts'
import {
  toVerify,
  type Capability,
  type LiteralCapability,
  type VerifyCapability,
} from '../capabilities/capability.ts'
import { HayloftError } from '../foundation/error.ts'
import { readAliases } from '../home/alias-file.ts'
import { HomeCareMemory } from '../home/care-memory.ts'
import { readCared } from '../home/cared-file.ts'
import { HOME_ALIAS } from '../home/opened-home.ts'
import type { HomeFiles } from '../home/layout.ts'
import type { Carer } from '../grid/care/carer.ts'
import type { CareEvent, DrillReport } from '../grid/care/events.ts'
import { rootIdOf, type CareRoot } from '../grid/care/roots.ts'
import type { Download } from '../grid/download.ts'
import { FolderMissingError } from '../folders/service/errors.ts'
import type { FolderView } from '../folders/service/view.ts'
import type { Client } from './client.ts'

type CareClient = Pick<Client, 'grid' | 'folders' | 'slots' | 'mutableFiles' | 'account'>

export interface HomeCareOptions {
  readonly onEvent?: ((event: CareEvent) => void) | undefined
  /** What repairs may send and fetch in a day. */
  readonly budgetBytes?: number | undefined
}

/** A carer for all that a home has and has taken on. One at a time in a home: who opens it holds the lock. */
export function openHomeCare(
  client: CareClient,
  files: HomeFiles,
  { onEvent, budgetBytes }: HomeCareOptions = {},
): Carer {
  return client.grid.openCarer({
    memory: new HomeCareMemory(files.care),
    roots: async () => await careRootsOf(client, files),
    topUp: async () => {
      await client.slots.topUp()
    },
    onEvent,
    budgetBytes,
  })
}

/** What a home looks after, with all the power over it that it has. */
export interface HomeRoot extends CareRoot {
  readonly given: Exclude<Capability, LiteralCapability>
}

/**
 * What a home looks after: its root folder, whatever has an alias, and what it has taken on for others. Each thing once,
 * under the first name it has.
 */
export async function careRootsOf(client: CareClient, files: HomeFiles): Promise<HomeRoot[]> {
  const { account } = client
  const own: [string, Capability][] = [
    [HOME_ALIAS, rootFolderOf(account)],
    ...(await readAliases(files.aliases, account)),
  ]
  const roots: HomeRoot[] = own.flatMap(([name, capability]) => {
    if (capability.kind === 'literal') return []
    return [{ ...rootOf(client, capability, `${name}:`), mayBeAbsent: name === HOME_ALIAS }]
  })
  for (const [name, capability] of await readCared(files.cared, account)) {
    roots.push({ name, capability, given: capability, isOwn: false })
  }
  const seen = new Set<string>()
  return roots.filter((root) => {
    const id = rootIdOf(root)
    if (seen.has(id)) return false
    seen.add(id)
    return true
  })
}

/** One of the home's own: whoever may read it knows what of the past is kept, and can fetch files. */
export function rootOf(
  client: CareClient,
  capability: Exclude<Capability, LiteralCapability>,
  name: string,
): HomeRoot {
  return {
    name,
    given: capability,
    capability: verifyOf(capability),
    isOwn: true,
    history: async (signal) => await client.folders.keptHistory(capability, { signal }),
    drill: async (signal) => await drillFiles(client, capability, { files: DRILL_FILES, signal }),
  }
}

/** As little power as looking after it takes. */
export function verifyOf(capability: Exclude<Capability, LiteralCapability>): VerifyCapability {
  switch (capability.kind) {
    case 'file-verify':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
      return capability
    case 'file-read':
    case 'folder-write':
    case 'folder-read':
    case 'mutable-write':
    case 'mutable-read':
    case 'snapshot-read':
      return toVerify(capability)
  }
}

export interface FileDrill extends DrillReport {
  /** Paths of what could not be had, and why. */
  readonly failed: readonly { readonly path: string; readonly message: string }[]
}

/**
 * Fetches some files for real.
 * @returns undefined with the power to verify alone, and where there is no file to fetch
 */
export async function drillFiles(
  client: CareClient,
  capability: Capability,
  options: { files: number; signal: AbortSignal; onProgress?: (doneBytes: number) => void },
): Promise<FileDrill | undefined> {
  const { signal } = options
  switch (capability.kind) {
    case 'folder-write':
    case 'folder-read':
    case 'snapshot-read': {
      const view = await viewOf(client, capability, signal)
      if (view === undefined) return undefined
      const drill = await client.folders.drill(view, options)
      const failed = drill.failed.map(({ path, error: { message } }) => ({ path, message }))
      const { tried, whole, bytes } = drill
      return tried === 0 ? undefined : { what: 'files', tried, whole, bytes, failed }
    }
    case 'file-read':
      return await drillOne(async () => await client.grid.get(capability, { signal }))
    case 'mutable-write':
    case 'mutable-read':
      return await drillOne(async () => {
        const { current } = await client.mutableFiles.look(capability, { signal })
        return await client.mutableFiles.read(current, { signal })
      })
    case 'literal':
    case 'file-verify':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
      return undefined
  }
}

async function viewOf(
  { folders }: CareClient,
  capability: Capability & { kind: 'folder-write' | 'folder-read' | 'snapshot-read' },
  signal: AbortSignal,
): Promise<FolderView | undefined> {
  if (capability.kind === 'snapshot-read') return await folders.open(capability)
  const reader =
    capability.kind === 'folder-write'
      ? await folders.open(capability)
      : await folders.open(capability)
  try {
    return await reader.now({ signal })
  } catch (error) {
    if (error instanceof FolderMissingError) return undefined
    throw error
  }
}

async function drillOne(open: () => Promise<Download>): Promise<FileDrill> {
  let bytes = 0
  try {
    for await (const chunk of (await open()).chunks) bytes += chunk.length
    return { what: 'files', tried: 1, whole: 1, bytes, failed: [] }
  } catch (error) {
    if (!(error instanceof HayloftError)) throw error
    const failed = [{ path: '', message: error.message }]
    return { what: 'files', tried: 1, whole: 0, bytes, failed }
  }
}

/** In the monthly drill of each root. */
const DRILL_FILES = 10
