import type { AccountSecret } from '../capabilities/account.ts'
import type { FolderReadCapability, FolderWriteCapability } from '../capabilities/capability.ts'
import { formatCapability, parseCapability } from '../capabilities/text.ts'
import { KEY_LABELS } from '../crypto/tags.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { damaged } from './json-file.ts'
import { readSealedFile, writeSealedFile } from './sealed-file.ts'

/** A directory of this computer that is kept in step with a folder of the grid. */
export interface SyncEntry {
  /** Random, 32 hexadecimal digits: names what is remembered of it, and the marker in the directory. */
  readonly id: string
  /** An absolute path. */
  readonly directory: string
  readonly capability: FolderWriteCapability | FolderReadCapability
  /** How its user named the folder; gives nothing away. */
  readonly label: string
  readonly isPaused: boolean
  /** Paths in the folder: nothing but these is synced; all if there are none. */
  readonly only: readonly string[]
  /** Paths in the folder that are not synced. */
  readonly except: readonly string[]
}

const SEALING = {
  format: { format: 'hayloft-syncs', version: 1 },
  label: KEY_LABELS.accountSyncs,
} as const

/** `syncs.json`. @throws HomeError if it is damaged or belongs to another account */
export async function readSyncs(path: string, account: AccountSecret): Promise<SyncEntry[]> {
  const plain = await readSealedFile(path, { ...SEALING, account })
  if (plain === undefined) return []
  const rows: unknown = JSON.parse(plain)
  if (!Array.isArray(rows)) throw damaged(path, 'it does not hold a list')
  return rows.map((row: unknown) => entryOf(row, path))
}

export async function writeSyncs(
  path: string,
  entries: readonly SyncEntry[],
  { account, randomness }: { readonly account: AccountSecret; readonly randomness: Randomness },
): Promise<void> {
  const rows = entries.map((entry) => ({
    ...entry,
    capability: formatCapability(entry.capability),
  }))
  await writeSealedFile(path, JSON.stringify(rows), { ...SEALING, account, randomness })
}

/** Only our own program can have sealed it, but perhaps a later one. */
function entryOf(row: unknown, path: string): SyncEntry {
  const fields = row as Record<string, unknown>
  const { id, directory, capability, label, isPaused, only = [], except = [] } = fields
  if (!Array.isArray(only) || !Array.isArray(except)) throw damaged(path, 'it chooses no paths')
  const texts: readonly unknown[] = [id, directory, capability, label, ...only, ...except]
  if (!texts.every((text) => typeof text === 'string') || typeof isPaused !== 'boolean') {
    throw damaged(path, 'it does not hold directories and folders')
  }
  const parsed = parseCapability(capability as string)
  if (parsed.kind !== 'folder-write' && parsed.kind !== 'folder-read') {
    throw damaged(path, 'it names something that cannot be synced')
  }
  return {
    id: id as string,
    directory: directory as string,
    capability: parsed,
    label: label as string,
    isPaused,
    only: only as string[],
    except: except as string[],
  }
}
