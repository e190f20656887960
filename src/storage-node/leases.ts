import type { BlockRow, HeldShare } from './rows.ts'

/** How long a share is kept after its last lease ran out: for those who were away when they should have renewed. */
export const GRACE_S = 7 * 24 * 3600

/** Pure steps from one state of a block to the next; nothing here knows where it is kept. */
export function withShare(
  row: BlockRow | undefined,
  share: HeldShare,
  shareBytes: number,
): BlockRow {
  const others = row?.shares.filter(({ index }) => index !== share.index) ?? []
  const shares = [...others, share].sort((a, b) => a.index - b.index)
  return { shareBytes, shares, leases: row?.leases ?? [] }
}

/** Without a share, and hence without its leases. */
export function withoutShare(row: BlockRow, index: number): BlockRow {
  return {
    ...row,
    shares: row.shares.filter((share) => share.index !== index),
    leases: row.leases.filter((lease) => lease.index !== index),
  }
}

/** Gives an account a lease, or prolongs the one it has; a lease is never cut short. */
export function withLease(
  row: BlockRow,
  { account, index, expiresS }: { account: number; index: number; expiresS: number },
): BlockRow {
  const at = row.leases.findIndex((lease) => lease.account === account && lease.index === index)
  const current = row.leases[at]
  if (current === undefined)
    return { ...row, leases: [...row.leases, { account, index, expiresS }] }
  if (current.expiresS >= expiresS) return row
  return { ...row, leases: row.leases.with(at, { account, index, expiresS }) }
}

export function hasLease(row: BlockRow, account: number, index: number): boolean {
  return row.leases.some((lease) => lease.account === account && lease.index === index)
}

/** Without the leases of one account. */
export function withoutAccount(row: BlockRow, account: number): BlockRow {
  return { ...row, leases: row.leases.filter((lease) => lease.account !== account) }
}

/** Whether time has come for anything about a block: a lease past its grace, or a share that nobody leases. */
export function isDue({ shares, leases }: BlockRow, nowS: number): boolean {
  if (leases.some(({ expiresS }) => expiresS + GRACE_S <= nowS)) return true
  return shares.some(({ index }) => !leases.some((lease) => lease.index === index))
}

/** Without leases past their grace, and without the shares that nobody leases then. */
export function withoutExpired(row: BlockRow, nowS: number): { row: BlockRow; freed: HeldShare[] } {
  const leases = row.leases.filter(({ expiresS }) => expiresS + GRACE_S > nowS)
  const leased = new Set(leases.map(({ index }) => index))
  const freed = row.shares.filter(({ index }) => !leased.has(index))
  const shares = row.shares.filter(({ index }) => leased.has(index))
  return { row: { ...row, shares, leases }, freed }
}

/** The share a block has under `index`. */
export function shareAt(row: BlockRow | undefined, index: number): HeldShare | undefined {
  return row?.shares.find((share) => share.index === index)
}

/** Whether a block still has exactly this share, not another under the same index. */
export function stillHas(row: BlockRow | undefined, { index, tag }: HeldShare): row is BlockRow {
  return shareAt(row, index)?.tag === tag
}
