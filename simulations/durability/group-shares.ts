import type { ErasureCode } from '../../src/erasure/code.ts'

/** Which node holds which share of each group of blocks. A share may lie on several nodes, a node holds one of a group. */
export class GroupShares {
  readonly #code: ErasureCode
  /** By group and share, the nodes that hold it. */
  readonly #holders: number[][][]
  /** By group, node → index of its share. */
  readonly #shareOn: Map<number, number>[]
  readonly #lost = new Set<number>()

  constructor(orders: readonly (readonly number[])[], code: ErasureCode) {
    this.#code = code
    this.#holders = orders.map((order) => order.slice(0, code.total).map((node) => [node]))
    this.#shareOn = orders.map(
      (order) => new Map(order.slice(0, code.total).map((node, index) => [node, index])),
    )
  }

  /** Groups of which fewer than k shares were left at some time. */
  get lost(): number {
    return this.#lost.size
  }

  /** Shares on all nodes together. */
  get kept(): number {
    return this.#shareOn.reduce((sum, shares) => sum + shares.size, 0)
  }

  isLost(group: number): boolean {
    return this.#lost.has(group)
  }

  groupsOn(node: number): number[] {
    return [...this.#shareOn.keys()].filter((group) => this.holds(group, node))
  }

  holds(group: number, node: number): boolean {
    return (this.#shareOn[group] as Map<number, number>).has(node)
  }

  /** Different shares on nodes of which `counts` is true. */
  distinct(group: number, counts: (node: number) => boolean): number {
    let count = 0
    for (const nodes of this.#holders[group] as number[][]) if (nodes.some(counts)) count++
    return count
  }

  isHeld(group: number, index: number, counts: (node: number) => boolean): boolean {
    return this.#nodesWith(group, index).some(counts)
  }

  put(group: number, index: number, node: number): void {
    this.#nodesWith(group, index).push(node)
    this.#shareOn[group]?.set(node, index)
  }

  /** All shares on a node are gone. */
  dropNode(node: number): void {
    for (const [group, shares] of this.#shareOn.entries()) {
      const index = shares.get(node)
      if (index === undefined) continue
      shares.delete(node)
      const nodes = this.#nodesWith(group, index)
      nodes.splice(nodes.indexOf(node), 1)
      if (this.distinct(group, () => true) < this.#code.required) this.#lost.add(group)
    }
  }

  /** How many shares on a node also lie on another one. */
  doublesOn(node: number): number {
    let count = 0
    for (const [group, shares] of this.#shareOn.entries()) {
      const index = shares.get(node)
      if (index !== undefined && this.#nodesWith(group, index).length > 1) count++
    }
    return count
  }

  #nodesWith(group: number, index: number): number[] {
    return this.#holders[group]?.[index] as number[]
  }
}
