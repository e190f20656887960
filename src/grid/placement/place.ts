import { onAbort } from '../../foundation/abort.ts'
import { deferred, type Deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { shareIndices, type ShareBitmap } from '../../protocol/bitmap.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { ShareSet } from '../blocks/encode.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'

/** Where the shares of one block ended up. */
export interface Placement {
  /** Share index → the node that has acknowledged it. */
  readonly holders: ReadonlyMap<number, NodeKey>
  /** Bytes of shards that had to be sent. */
  readonly sentBytes: number
  /** How many nodes had no room … */
  readonly full: number
  /** … and how many say that the account stores as much as it may. */
  readonly overQuota: number
  /** Whether no shard is on its way any more, so that the memory of the shards may be used again. */
  readonly isQuiet: boolean
}

export interface PlaceOptions {
  /** Nodes in the order to try them; the first n are the block's own. */
  readonly order: readonly NodeKey[]
  /** Shares that are known to have a node of their own: it is not asked, and its share is not sent. */
  readonly held?: ReadonlyMap<number, NodeKey> | undefined
  /** Asks a node what it holds of this block. Rejects if it cannot say. Without it, shares are sent wherever they may be. */
  readonly ask?: ((node: NodeKey, onSuspect: () => void) => Promise<ShareBitmap>) | undefined
  readonly monitor: NodeMonitor
  /** Whether a node is not to be believed when it says that it has this share already. */
  readonly isDoubtful?: (node: NodeKey, index: number) => boolean
  /**
   * Called once, when all that is left depends on silent nodes, so that other work need not wait for it.
   * @param holders nodes that have their share
   */
  readonly onOwed?: (holders: number) => void
  /** Called whenever one more node has its share, with how it stands then. */
  readonly onHeld?: (now: Pick<Placement, 'sentBytes'> & { readonly holders: number }) => void
  /** Gives up what is not placed yet; the result tells what is. */
  readonly signal?: AbortSignal
}

/**
 * Puts each share of a block on a node of its own: first asks who holds what, then sends what is missing, and moves a
 * share on to the next node of the order when one is full, away or silent. A silent node may still come back, so what
 * cannot be moved elsewhere waits for it until `signal` fires.
 */
export async function placeShares(shares: ShareSet, options: PlaceOptions): Promise<Placement> {
  const placing = new Placing(shares, options)
  return await placing.run()
}

class Placing {
  readonly #shares: ShareSet
  readonly #options: PlaceOptions
  readonly #holders: Map<number, NodeKey>
  /** Nodes of the order not asked yet: good ones first, and of the others only those that may come back. */
  readonly #unasked: NodeKey[]
  /** Nodes that have answered and hold no share of this block. */
  readonly #free: NodeKey[] = []
  /** Nodes that were asked, are silent, and may answer yet. */
  #late = 0
  #sentBytes = 0
  #full = 0
  #overQuota = 0
  /** Shards on their way. */
  #sending = 0
  /** Shares that nothing but silent nodes can still take. */
  readonly #owed = new Set<number>()
  /** Shares that no node is left for. */
  #abandoned = 0
  #hasToldOwed = false
  /** Resolves at the next change, for who waits for one. */
  #changed: Deferred<void> | undefined

  constructor(shares: ShareSet, options: PlaceOptions) {
    this.#shares = shares
    this.#options = options
    const { order, monitor, held = new Map<number, NodeKey>() } = options
    this.#holders = new Map(held)
    const taken = new Set(held.values())
    const others = order.filter((node) => !taken.has(node))
    this.#unasked = [
      ...others.filter((node) => monitor.isPreferred(node)),
      ...others.filter((node) => !monitor.isPreferred(node)),
    ]
  }

  async run(): Promise<Placement> {
    const { signal } = this.#options
    const letGo = signal && onAbort(signal, this.#wake)
    await this.#askFirst()
    const { length: total } = this.#shares.shards
    const missing = Array.from({ length: total }, (_, index) => index).filter(
      (index) => !this.#holders.has(index),
    )
    const assigned = this.#assign(missing)
    await Promise.all(missing.map(async (index) => this.#settle(index, assigned.get(index))))
    letGo?.()
    return {
      holders: this.#holders,
      sentBytes: this.#sentBytes,
      full: this.#full,
      overQuota: this.#overQuota,
      isQuiet: this.#sending === 0 && signal?.aborted !== true,
    }
  }

  /** Asks nodes in order until each share could have one or none are left to ask, past silent and absent ones. */
  async #askFirst(): Promise<void> {
    const open = this.#shares.shards.length - this.#holders.size
    const { ask } = this.#options
    if (ask === undefined) {
      this.#free.push(...this.#unasked.splice(0, open))
      return
    }
    await Promise.all(
      Array.from({ length: open }, async () => {
        while (this.#unasked.length > 0) if ((await this.#askNext(ask)) === 'answered') return
      }),
    )
  }

  /** A share goes to the node whose place in the order is the share's index, if that node is free. */
  #assign(missing: readonly number[]): Map<number, NodeKey> {
    const assigned = new Map<number, NodeKey>()
    for (const index of missing) {
      const own = this.#options.order[index]
      if (own !== undefined && this.#takeFree(own)) assigned.set(index, own)
    }
    for (const index of missing) {
      if (assigned.has(index)) continue
      const node = this.#nextFree()
      if (node !== undefined) assigned.set(index, node)
    }
    return assigned
  }

  async #settle(index: number, first: NodeKey | undefined): Promise<void> {
    const { ask } = this.#options
    let node = first
    let sending = 0
    while (!this.#holders.has(index)) {
      const next = node ?? this.#nextFree()
      node = undefined
      if (next !== undefined) {
        sending += 1
        await new Promise<void>((sentOrSilent, failed) => {
          const send = async (): Promise<void> => {
            try {
              await this.#send(index, next, sentOrSilent)
            } finally {
              sending -= 1
              this.#wake()
            }
          }
          send().then(sentOrSilent, failed)
        })
      } else if (ask !== undefined && this.#unasked.length > 0) {
        await this.#askNext(ask)
      } else if ((sending === 0 && this.#late === 0) || this.#options.signal?.aborted === true) {
        this.#abandoned += 1
        // Those that wait for silent nodes may be the only ones left now.
        this.#wake()
        break
      } else {
        // Taken first: telling of the debt may itself bring the change.
        const changed = (this.#changed ??= deferred())
        this.#owe(index)
        await changed.promise
      }
    }
    this.#owed.delete(index)
  }

  async #send(index: number, node: NodeKey, onSuspect: () => void): Promise<void> {
    const { monitor, signal } = this.#options
    const shard = this.#shares.shards[index] as Uint8Array
    this.#sending += 1
    try {
      const { outcome } = await monitor.call<'put'>(
        node,
        { op: 'put', manifest: this.#shares.manifest, index, leaseS: DEFAULT_LEASE_S, shard },
        { signal, onSuspect },
      )
      if (outcome === 'stored') this.#sentBytes += shard.length
      if (outcome === 'full') this.#full += 1
      if (outcome === 'quota') this.#overQuota += 1
      const isKept = outcome === 'have' && this.#options.isDoubtful?.(node, index) !== true
      if (outcome === 'stored' || isKept) this.#hold(index, node)
    } catch (error) {
      // What the world breaks means: not this node. Our own bugs must come out.
      if (!(error instanceof HayloftError) && signal?.aborted !== true) throw error
    } finally {
      this.#sending -= 1
      this.#wake()
    }
  }

  /** Asks the next node; resolves when it has answered, failed or turned silent. */
  async #askNext(ask: NonNullable<PlaceOptions['ask']>): Promise<'answered' | 'no'> {
    const node = this.#unasked.shift()
    if (node === undefined) return 'no'
    const silent = deferred<'no'>()
    let isLate = false
    const answer = ask(node, () => {
      if (!isLate) this.#late += 1
      isLate = true
      silent.resolve('no')
    })
      .then(
        (held) => {
          this.#learn(node, shareIndices(held))
          return 'answered' as const
        },
        (error: unknown) => {
          if (error instanceof HayloftError || this.#options.signal?.aborted === true)
            return 'no' as const
          throw error
        },
      )
      .finally(() => {
        if (isLate) this.#late -= 1
        this.#wake()
      })
    return await Promise.race([answer, silent.promise])
  }

  #learn(node: NodeKey, held: readonly number[]): void {
    const useful = held.find(
      (index) => index < this.#shares.shards.length && !this.#holders.has(index),
    )
    if (useful !== undefined) this.#hold(useful, node)
    else if (held.length === 0) this.#free.push(node)
  }

  #hold(index: number, node: NodeKey): void {
    if (!this.#holders.has(index)) this.#holders.set(index, node)
    this.#owed.delete(index)
    this.#options.onHeld?.({ holders: this.#holders.size, sentBytes: this.#sentBytes })
    this.#wake()
  }

  #takeFree(node: NodeKey): boolean {
    const at = this.#free.indexOf(node)
    if (at < 0) return false
    this.#free.splice(at, 1)
    return true
  }

  #nextFree(): NodeKey | undefined {
    const free = this.#free.shift()
    return free ?? (this.#options.ask === undefined ? this.#unasked.shift() : undefined)
  }

  #owe(index: number): void {
    this.#owed.add(index)
    const open = this.#shares.shards.length - this.#holders.size - this.#abandoned
    const allOwed = this.#owed.size === open
    if (!allOwed || this.#hasToldOwed) return
    this.#hasToldOwed = true
    this.#options.onOwed?.(this.#holders.size)
  }

  readonly #wake = (): void => {
    this.#changed?.resolve()
    this.#changed = undefined
  }
}
