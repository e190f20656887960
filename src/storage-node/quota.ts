/**
 * What an account whose own nodes offer little or nothing may store all the same: who joined today has a first file to
 * put, and a telephone offers nothing.
 */
const LEAST_RECIPROCAL_BYTES = 5e9

/** What decides how much an account may store on a node; the first that is there. */
export interface QuotaGrounds {
  /** What the grid's admins granted this account. */
  readonly grantedBytes?: number | undefined
  /** What the node's operator allows any account. */
  readonly nodeDefaultBytes?: number | undefined
  /** What the account's own nodes offer the grid. */
  readonly offeredBytes: number
}

/** A grant, else the operator's word, else reciprocity: as much as the account's own nodes offer. */
export function quotaBytesOf({
  grantedBytes,
  nodeDefaultBytes,
  offeredBytes,
}: QuotaGrounds): number {
  return grantedBytes ?? nodeDefaultBytes ?? Math.max(offeredBytes, LEAST_RECIPROCAL_BYTES)
}
