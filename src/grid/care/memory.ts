import type { NodeHistory } from './node-history.ts'
import type { NodeSamples } from './samples.ts'
import type { BudgetState } from './traffic-budget.ts'

/**
 * What a carer remembers beyond the end of its program. Losing any of it costs measurements and does no harm: what was
 * forgotten is done again. Every save is all or nothing and resolves when it would survive a power cut.
 */
export interface CareMemory {
  nodes(): Promise<readonly NodeHistory[]>
  saveNodes(histories: readonly NodeHistory[]): Promise<void>
  budget(): Promise<BudgetState | undefined>
  saveBudget(state: BudgetState): Promise<void>
  root(id: string): Promise<RootRecord | undefined>
  saveRoot(id: string, record: RootRecord): Promise<void>
  /** Shares of what a root leads to, to audit: some of each node's. */
  samples(id: string): Promise<readonly NodeSamples[]>
  saveSamples(id: string, samples: readonly NodeSamples[]): Promise<void>
  /** Names of blocks that lead nowhere: see `BlockNames`. */
  linkless(id: string): Promise<Uint8Array | undefined>
  saveLinkless(id: string, names: Uint8Array): Promise<void>
  /** What is remembered of roots other than these goes. */
  keepRoots(ids: ReadonlySet<string>): Promise<void>
}

/** When what was done to a root, in Unix ms; 0 is never. */
export interface RootRecord {
  readonly addedMs: number
  /** Begun and finished; a visit that was cut short has only begun. */
  readonly triedMs: number
  readonly visitedMs: number
  /** Leases were renewed at every node that was there. */
  readonly renewedMs: number
  /** Whether some node that was away then has yet to renew. */
  readonly isRenewalDue: boolean
  readonly drilledMs: number
  /** The last drill in which everything was whole. */
  readonly verifiedMs: number
  /** Traffic that repairs need and the budget had not. */
  readonly deferredBytes: number
  /** How each node stood at the visit; with another standing, another visit is due. */
  readonly standing: readonly string[]
  readonly state?: RootState | undefined
}

export const NEW_ROOT: RootRecord = {
  addedMs: 0,
  triedMs: 0,
  visitedMs: 0,
  renewedMs: 0,
  isRenewalDue: false,
  drilledMs: 0,
  verifiedMs: 0,
  deferredBytes: 0,
  standing: [],
}

/** How well everything below a root is kept, in numbers. */
export interface RootState {
  readonly recoverable: boolean | 'unknown'
  readonly healthy: boolean
  readonly blocks: number
  readonly slots: number
  readonly bytes: number
  readonly sharesMissing: number
  readonly copiesMissing: number
  /** Blocks and slots that are certainly gone. */
  readonly lost: number
  /** Households that may vanish, whichever they are, of those that hold the worst-off part; −1 if some part is lost. */
  readonly mayVanish: number
  readonly households: number
  /** The same if one more household took part. */
  readonly mayVanishWithOneMore: number
  /** The chance that, at some moment, some part cannot be read because too many nodes are off; an upper bound. */
  readonly chanceUnreadable: number
  /** The chance that within a year so many nodes leave between two repairs that some part is lost; an upper bound. */
  readonly chanceOfLossInYear: number
}

/** Remembers until the process ends. */
export class VolatileCareMemory implements CareMemory {
  readonly #roots = new Map<string, RootRecord>()
  readonly #samples = new Map<string, readonly NodeSamples[]>()
  readonly #linkless = new Map<string, Uint8Array>()
  #nodes: readonly NodeHistory[] = []
  #budget: BudgetState | undefined

  async nodes(): Promise<readonly NodeHistory[]> {
    return await Promise.resolve(this.#nodes)
  }

  async saveNodes(histories: readonly NodeHistory[]): Promise<void> {
    this.#nodes = [...histories]
    await Promise.resolve()
  }

  async budget(): Promise<BudgetState | undefined> {
    return await Promise.resolve(this.#budget)
  }

  async saveBudget(state: BudgetState): Promise<void> {
    this.#budget = state
    await Promise.resolve()
  }

  async root(id: string): Promise<RootRecord | undefined> {
    return await Promise.resolve(this.#roots.get(id))
  }

  async saveRoot(id: string, record: RootRecord): Promise<void> {
    this.#roots.set(id, record)
    await Promise.resolve()
  }

  async samples(id: string): Promise<readonly NodeSamples[]> {
    return await Promise.resolve(this.#samples.get(id) ?? [])
  }

  async saveSamples(id: string, samples: readonly NodeSamples[]): Promise<void> {
    this.#samples.set(id, samples)
    await Promise.resolve()
  }

  async linkless(id: string): Promise<Uint8Array | undefined> {
    return await Promise.resolve(this.#linkless.get(id))
  }

  async saveLinkless(id: string, names: Uint8Array): Promise<void> {
    this.#linkless.set(id, names)
    await Promise.resolve()
  }

  async keepRoots(ids: ReadonlySet<string>): Promise<void> {
    for (const id of this.#roots.keys()) if (!ids.has(id)) this.#roots.delete(id)
    for (const id of this.#samples.keys()) if (!ids.has(id)) this.#samples.delete(id)
    for (const id of this.#linkless.keys()) if (!ids.has(id)) this.#linkless.delete(id)
    await Promise.resolve()
  }
}
