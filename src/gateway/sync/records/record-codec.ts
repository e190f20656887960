import { fromHex, toHex } from '../../../foundation/bytes.ts'
import { HayloftError } from '../../../foundation/error.ts'
import { blockId } from '../../../protocol/block-id.ts'
import type { TagHex } from '../../../protocol/version-vector.ts'
import type { Signature } from '../disk/sync-disk.ts'
import type { Intent } from '../intents.ts'
import type { ContentHash, ContentKey, PathText, SyncedNode } from '../trees.ts'
import type { SyncRow } from './records.ts'

/** The records of a synced directory cannot be read. */
export class SyncRecordsDamagedError extends HayloftError {
  readonly code = 'sync-records-damaged'

  constructor(options?: ErrorOptions) {
    super(
      'What this device remembers of a synced directory is damaged. Remove the sync and add the directory anew: ' +
        'what is equal on both sides is recognised, and nothing is lost.',
      options,
    )
  }
}

export function encodeRow({ synced, signature, stored }: SyncRow): string {
  const reference = stored && {
    key: toHex(stored.reference.key),
    id: toHex(stored.reference.id),
    sizeBytes: stored.sizeBytes,
  }
  return JSON.stringify({ synced: plainNode(synced), signature, stored: reference })
}

/** @throws SyncRecordsDamagedError */
export function decodeRow(text: string): SyncRow {
  const { synced, signature, stored } = parse(text)
  return {
    synced: nodeOf(synced),
    signature: signature as Signature | undefined,
    stored: stored === undefined ? undefined : storedOf(stored),
  }
}

export function encodeIntent({ kind, becomes }: Intent): string {
  return JSON.stringify({ kind, becomes: becomes && plainNode(becomes) })
}

/** @throws SyncRecordsDamagedError */
export function decodeIntent(text: string): Intent {
  const { kind, becomes } = parse(text)
  if (kind !== 'pull' && kind !== 'push') throw new SyncRecordsDamagedError()
  return { kind, becomes: becomes === undefined ? undefined : nodeOf(becomes) }
}

function plainNode(node: SyncedNode): unknown {
  return node.kind === 'directory' ? node : { ...node, dots: Object.fromEntries(node.dots) }
}

function nodeOf(value: unknown): SyncedNode {
  const fields = record(value)
  if (fields['kind'] === 'directory') return { kind: 'directory' }
  const { dots: plain, copyOf } = fields
  const dots = new Map(Object.entries(record(plain)) as [TagHex, number][])
  const place = { dots, copyOf: copyOf as PathText | undefined }
  if (fields['kind'] === 'symlink')
    return { kind: 'symlink', target: text(fields, 'target'), ...place }
  if (fields['kind'] !== 'file') throw new SyncRecordsDamagedError()
  return {
    kind: 'file',
    hash: text(fields, 'hash') as ContentHash,
    key: text(fields, 'key') as ContentKey,
    isExecutable: fields['isExecutable'] === true,
    ...place,
  }
}

function storedOf(value: unknown): NonNullable<SyncRow['stored']> {
  const fields = record(value)
  const key = fromHex(text(fields, 'key'))
  const id = fromHex(text(fields, 'id'))
  if (key?.length !== 32 || id?.length !== 32) throw new SyncRecordsDamagedError()
  return { reference: { key, id: blockId(id) }, sizeBytes: Number(fields['sizeBytes']) }
}

function parse(line: string): Record<string, unknown> {
  try {
    return record(JSON.parse(line))
  } catch (cause) {
    throw new SyncRecordsDamagedError({ cause })
  }
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw new SyncRecordsDamagedError()
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name]
  if (typeof value === 'string') return value
  throw new SyncRecordsDamagedError()
}
