/** What one node says of who stores how much on it; undefined for one that does not answer. */
export interface NodeBooks {
  /** Whose node it is. */
  readonly owner: string
  readonly offeredBytes: number
  readonly usage: readonly { readonly account: string; readonly bytes: number }[] | undefined
}

/** How much someone gives to the grid and takes from it, as far as nodes have told. */
export interface Reciprocity {
  readonly account: string
  /** What all nodes of theirs offer. */
  readonly offersBytes: number
  /** What their nodes keep for others. */
  readonly keepsForOthersBytes: number
  /** What others' nodes keep for them. */
  readonly storesWithOthersBytes: number
  /** What their own nodes keep for them, which is nobody else's business. */
  readonly storesAtHomeBytes: number
  /** On whose nodes they store, those with most first. */
  readonly with: readonly { readonly account: string; readonly bytes: number }[]
}

/** The ledger of a grid: one row for each account that offers or stores anything, or is named; those who give most first. */
export function reciprocityOf(
  nodes: readonly NodeBooks[],
  members: readonly string[],
): Reciprocity[] {
  const accounts = new Set(members)
  for (const { owner, usage = [] } of nodes) {
    accounts.add(owner)
    for (const { account } of usage) accounts.add(account)
  }
  return [...accounts]
    .map((account) => rowOf(account, nodes))
    .sort(
      (a, b) =>
        b.keepsForOthersBytes - a.keepsForOthersBytes ||
        b.offersBytes - a.offersBytes ||
        (a.account < b.account ? -1 : 1),
    )
}

function rowOf(account: string, nodes: readonly NodeBooks[]): Reciprocity {
  const stored = new Map<string, number>()
  let offersBytes = 0
  let keepsForOthersBytes = 0
  for (const { owner, offeredBytes, usage = [] } of nodes) {
    if (owner === account) offersBytes += offeredBytes
    for (const { account: user, bytes } of usage) {
      if (user === account) stored.set(owner, (stored.get(owner) ?? 0) + bytes)
      else if (owner === account) keepsForOthersBytes += bytes
    }
  }
  const storesAtHomeBytes = stored.get(account) ?? 0
  stored.delete(account)
  const withOthers = [...stored].map(([other, bytes]) => ({ account: other, bytes }))
  return {
    account,
    offersBytes,
    keepsForOthersBytes,
    storesWithOthersBytes: withOthers.reduce((sum, { bytes }) => sum + bytes, 0),
    storesAtHomeBytes,
    with: withOthers.sort((a, b) => b.bytes - a.bytes),
  }
}

/** Below this part of the larger one, two sums are as good as even: nobody counts bytes among friends. */
const EVEN_PART = 1 / 10

/** How giving and taking compare. */
export function balanceOf({
  keepsForOthersBytes: given,
  storesWithOthersBytes: taken,
}: Pick<Reciprocity, 'keepsForOthersBytes' | 'storesWithOthersBytes'>): {
  readonly kind: 'nothing' | 'even' | 'gives' | 'takes'
  /** By how much. */
  readonly bytes: number
} {
  const bytes = Math.abs(given - taken)
  if (given === 0 && taken === 0) return { kind: 'nothing', bytes }
  if (bytes <= EVEN_PART * Math.max(given, taken)) return { kind: 'even', bytes }
  return { kind: given > taken ? 'gives' : 'takes', bytes }
}
