import type { Scan, ScannedNode, Signature } from '../disk/sync-disk.ts'
import type { RecordChange, SyncRecords } from '../records/records.ts'

/** By which a file may be known the next time without being read. */
export function settledSignature(node: ScannedNode | undefined): Signature | undefined {
  return node?.kind === 'file' && !node.isRacy ? node.signature : undefined
}

/** What was read and found to be as agreed need not be read again. */
export function refreshedSignatures({ tree }: Scan, { rows }: SyncRecords): RecordChange[] {
  const changes: RecordChange[] = []
  for (const [path, node] of tree) {
    const signature = settledSignature(node)
    if (node.kind !== 'file' || signature === undefined) continue
    const row = rows.get(path)
    const isAgreed = row?.synced.kind === 'file' && row.synced.hash === node.hash
    if (isAgreed && row.signature !== signature)
      changes.push({ path, row: { is: { ...row, signature } } })
  }
  return changes
}
