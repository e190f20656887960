import type { NodeKey } from '../../protocol/node-key.ts'

/** Why a share or slot is still here, the last reason that a node gave. */
export type LeftReason =
  /** No node that could take it answers. */
  | 'unreachable'
  /** All have too little room. */
  | 'full'
  /** Those who lease it are beyond their quotas at all nodes that answer. */
  | 'quota'
  /** All have taken as much of this account's nodes as they do in a day. */
  | 'later'
  /** There is no other node. */
  | 'alone'

export interface Amount {
  readonly shares: number
  readonly records: number
  readonly bytes: number
}

/** How far a node has got in giving away what it keeps. */
export interface DrainProgress {
  readonly moved: Amount
  /** All that it kept when it began. */
  readonly totalBytes: number
}

/** What became of all that a node kept. */
export interface DrainReport extends DrainProgress {
  /** Still here; nobody but this node has it under these leases. */
  readonly left: Amount
  /** Items that are left, by why. */
  readonly reasons: Readonly<Partial<Record<LeftReason, number>>>
  /** Who leases what is left for their `quota`, by the names of their accounts. */
  readonly beyondQuota: readonly string[]
  /** Leased by nobody any more: to be freed, not moved. */
  readonly unleased: Amount
  /** Leased by nobody who belongs to the grid: it stays, and is freed when its leases have ended. */
  readonly formerMembers: Amount
  /** Found gone or rotten on the way; the grid's repair makes them anew. */
  readonly lost: number
  /** Shares that went to a node with another one of the same block, since there was no other choice. */
  readonly crowded: number
  /** Leases that did not come along, since their account is no member or beyond its quota there. */
  readonly leasesLost: number
  /** Who took how much. */
  readonly takers: readonly {
    readonly node: NodeKey
    readonly items: number
    readonly bytes: number
  }[]
}

/** Adds up a {@link DrainReport}. */
export class DrainTally {
  readonly #totalBytes: number
  readonly #moved = { shares: 0, records: 0, bytes: 0 }
  readonly #left = { shares: 0, records: 0, bytes: 0 }
  readonly #unleased = { shares: 0, records: 0, bytes: 0 }
  readonly #formerMembers = { shares: 0, records: 0, bytes: 0 }
  readonly #beyondQuota = new Set<string>()
  readonly #reasons = new Map<LeftReason, number>()
  readonly #takers = new Map<NodeKey, { items: number; bytes: number }>()
  #lost = 0
  #crowded = 0
  #leasesLost = 0

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes
  }

  get progress(): DrainProgress {
    return { moved: { ...this.#moved }, totalBytes: this.#totalBytes }
  }

  moved(item: Item, to: { readonly node: NodeKey; readonly leasesLost: number }): void {
    add(this.#moved, item)
    const taker = this.#takers.get(to.node) ?? { items: 0, bytes: 0 }
    this.#takers.set(to.node, { items: taker.items + 1, bytes: taker.bytes + item.bytes })
    this.#leasesLost += to.leasesLost
  }

  /** @param accounts names of those who lease it */
  left(item: Item, reason: LeftReason, accounts: readonly string[] = []): void {
    add(this.#left, item)
    if (reason === 'quota') for (const account of accounts) this.#beyondQuota.add(account)
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1)
  }

  unleased(item: Item): void {
    add(this.#unleased, item)
  }

  formerMembers(item: Item): void {
    add(this.#formerMembers, item)
  }

  lost(): void {
    this.#lost++
  }

  crowded(): void {
    this.#crowded++
  }

  report(): DrainReport {
    return {
      ...this.progress,
      left: this.#left,
      reasons: Object.fromEntries(this.#reasons),
      beyondQuota: [...this.#beyondQuota].sort(),
      unleased: this.#unleased,
      formerMembers: this.#formerMembers,
      lost: this.#lost,
      crowded: this.#crowded,
      leasesLost: this.#leasesLost,
      takers: sorted(this.#takers),
    }
  }
}

export interface Item {
  readonly kind: 'share' | 'slot'
  /** Records of a slot; one for a share. */
  readonly count: number
  readonly bytes: number
}

function add(sum: { shares: number; records: number; bytes: number }, item: Item): void {
  if (item.kind === 'share') sum.shares += item.count
  else sum.records += item.count
  sum.bytes += item.bytes
}

/** What became of everything in two passes, the second of which went on where the first had ended. */
export function joinReports(first: DrainReport, second: DrainReport): DrainReport {
  const takers = new Map<NodeKey, { items: number; bytes: number }>()
  for (const { node, items, bytes } of [...first.takers, ...second.takers]) {
    const taken = takers.get(node) ?? { items: 0, bytes: 0 }
    takers.set(node, { items: taken.items + items, bytes: taken.bytes + bytes })
  }
  return {
    moved: {
      shares: first.moved.shares + second.moved.shares,
      records: first.moved.records + second.moved.records,
      bytes: first.moved.bytes + second.moved.bytes,
    },
    totalBytes: Math.max(first.totalBytes, first.moved.bytes + second.totalBytes),
    left: second.left,
    reasons: second.reasons,
    beyondQuota: second.beyondQuota,
    unleased: second.unleased,
    formerMembers: second.formerMembers,
    lost: first.lost + second.lost,
    crowded: first.crowded + second.crowded,
    leasesLost: first.leasesLost + second.leasesLost,
    takers: sorted(takers),
  }
}

function sorted(
  takers: ReadonlyMap<NodeKey, { readonly items: number; readonly bytes: number }>,
): DrainReport['takers'] {
  return [...takers]
    .map(([node, { items, bytes }]) => ({ node, items, bytes }))
    .sort((a, b) => b.bytes - a.bytes || (a.node < b.node ? -1 : 1))
}
