import { deferred, type Deferred } from '../foundation/concurrency.ts'

/**
 * Lets many pieces of work share one durable write: while a group is being committed, what arrives waits and becomes
 * the next one. Under load groups grow by themselves; alone, a piece waits for nobody. One group at a time, in order.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>
  readonly #waiting: { item: Item; done: Deferred<Result> }[] = []
  #running = false

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options
  }

  /** Resolves when the group with `item` is committed; rejects, as all of its group do, when that failed. */
  add(item: Item): Promise<Result> {
    const done = deferred<Result>()
    this.#waiting.push({ item, done })
    if (!this.#running) {
      this.#running = true
      queueMicrotask(() => void this.#run())
    }
    return done.promise
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      try {
        const results = await this.#options.commit(group.map(({ item }) => item))
        group.forEach(({ done }, position) => done.resolve(results[position] as Result))
      } catch (error) {
        for (const { done } of group) done.reject(error)
      }
    }
    this.#running = false
  }

  #takeGroup(): { item: Item; done: Deferred<Result> }[] {
    const { maxItems, maxWeight } = this.#options
    let count = 0
    let weight = 0
    for (const { item } of this.#waiting) {
      weight += this.#options.weigh(item)
      if (count === maxItems || (count > 0 && weight > maxWeight)) break
      count++
    }
    return this.#waiting.splice(0, count)
  }
}

export interface GroupCommitOptions<Item, Result> {
  readonly maxItems: number
  /** No group but of a single item weighs more. */
  readonly maxWeight: number
  weigh(item: Item): number
  /** Makes all items durable; one result an item, in order. */
  commit(items: readonly Item[]): Promise<readonly Result[]>
}
