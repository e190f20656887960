import type { ErasureCode } from '../../src/erasure/code.ts'
import { EventQueue } from '../models/event-queue.ts'
import type { SeededRandomness } from '../randomness.ts'
import { GroupShares } from './group-shares.ts'

/** A random span of time. */
export type Span =
  | { readonly kind: 'fixed'; readonly days: number }
  | { readonly kind: 'exponential'; readonly meanDays: number }
  /** Mostly short, now and then long: an exponential span of either mean. */
  | {
      readonly kind: 'mixed'
      readonly shortDays: number
      readonly longDays: number
      readonly longPart: number
    }

export interface GridModel {
  readonly code: ErasureCode
  /** By group, all nodes in the order in which they are asked to take shares; see `ordersOf`. */
  readonly orders: readonly (readonly number[])[]
  /** The household of each node. */
  readonly householdOf: readonly number[]
  readonly nodeLife: Span
  /** Until a household loses all of its nodes at once; undefined for never. */
  readonly householdLife?: Span
  /** From the loss of a node until its owner offers an empty one in its place. */
  readonly replacement: Span
  /** How long nodes are on and off in turn; undefined if they are always on. */
  readonly outages?: { readonly on: Span; readonly off: Span } | undefined
  /** A node that is off for so long is counted as lost, and its shares are made anew elsewhere. */
  readonly patienceDays?: number
  /** A group is repaired when fewer shares than this are counted on. */
  readonly repairBelow: number
  /** From when that is so until the shares are in place. */
  readonly repair: Span
}

export interface GridHistory {
  /** The part of the groups that was lost for good. */
  readonly lostPart: number
  /** Shares made anew, a group and year. */
  readonly repairedSharesPerYear: number
  /** Of these, the part for shares whose node came back after all. */
  readonly wastedPart: number
  /** Shares that lie on nodes at the end, a group, those that lie twice counted twice. */
  readonly keptShares: number
}

type Happening =
  | { readonly kind: 'node-dies'; readonly node: number; readonly life: number }
  | { readonly kind: 'household-burns'; readonly household: number }
  | { readonly kind: 'node-replaced'; readonly node: number }
  | {
      readonly kind: 'node-off' | 'node-on' | 'node-given-up'
      readonly node: number
      readonly life: number
    }
  | { readonly kind: 'repair'; readonly group: number }

/**
 * Plays what happens to a grid, event by event, and counts what it lost. Everything stored stands in groups with the
 * orders of the real placement. A replaced node takes the rank of the one that it replaces, which is as random as its own.
 */
export function playGrid(
  model: GridModel,
  days: number,
  randomness: SeededRandomness,
): GridHistory {
  return new Play(model, days, randomness).run()
}

class Play {
  readonly #model: GridModel
  readonly #days: number
  readonly #randomness: SeededRandomness
  readonly #queue = new EventQueue<Happening>()
  readonly #shares: GroupShares
  readonly #underRepair = new Set<number>()
  /** Groups with shares that no node was free for. */
  readonly #starved = new Set<number>()
  /** By node: how often it was replaced, so that events of an earlier one mean nothing; odd while there is none. */
  readonly #life: number[]
  readonly #isOn: boolean[]
  readonly #isGivenUp: boolean[]
  /** By node: its shares that also lay elsewhere when it was given up. */
  readonly #doubles: number[]
  #repaired = 0
  #wasted = 0

  constructor(model: GridModel, days: number, randomness: SeededRandomness) {
    this.#model = model
    this.#days = days
    this.#randomness = randomness
    const nodes = model.householdOf.length
    this.#shares = new GroupShares(model.orders, model.code)
    this.#life = Array.from({ length: nodes }, () => 0)
    this.#isOn = Array.from({ length: nodes }, () => true)
    this.#isGivenUp = Array.from({ length: nodes }, () => false)
    this.#doubles = Array.from({ length: nodes }, () => 0)
  }

  run(): GridHistory {
    for (const node of this.#life.keys()) this.#begin(node)
    for (const household of new Set(this.#model.householdOf)) this.#awaitFire(0, household)
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      if (next.at > this.#days) break
      this.#handle(next.at, next.event)
    }
    const groups = this.#model.orders.length
    return {
      lostPart: this.#shares.lost / groups,
      repairedSharesPerYear: this.#repaired / groups / (this.#days / 365.25),
      wastedPart: this.#repaired === 0 ? 0 : this.#wasted / this.#repaired,
      keptShares: this.#shares.kept / groups,
    }
  }

  #handle(now: number, event: Happening): void {
    switch (event.kind) {
      case 'node-dies': {
        if (this.#life[event.node] === event.life) this.#die(now, event.node)
        return
      }
      case 'household-burns': {
        for (const [node, household] of this.#model.householdOf.entries()) {
          if (household === event.household && this.#isThere(node)) this.#die(now, node)
        }
        this.#awaitFire(now, event.household)
        return
      }
      case 'node-replaced': {
        this.#life[event.node]!++
        this.#begin(event.node, now)
        this.#feedStarved(now)
        return
      }
      case 'node-off':
      case 'node-on':
      case 'node-given-up': {
        if (this.#life[event.node] === event.life) this.#switch(now, event)
        return
      }
      case 'repair':
        this.#repair(now, event.group)
    }
  }

  #begin(node: number, now = 0): void {
    const life = this.#life[node] as number
    this.#isOn[node] = true
    this.#isGivenUp[node] = false
    this.#queue.add(now + this.#draw(this.#model.nodeLife), { kind: 'node-dies', node, life })
    const { outages } = this.#model
    if (outages !== undefined) {
      this.#queue.add(now + this.#draw(outages.on), { kind: 'node-off', node, life })
    }
  }

  #awaitFire(now: number, household: number): void {
    const { householdLife } = this.#model
    if (householdLife === undefined) return
    this.#queue.add(now + this.#draw(householdLife), { kind: 'household-burns', household })
  }

  #die(now: number, node: number): void {
    this.#life[node]!++
    const touched = this.#shares.groupsOn(node)
    this.#shares.dropNode(node)
    this.#queue.add(now + this.#draw(this.#model.replacement), { kind: 'node-replaced', node })
    for (const group of touched) this.#consider(now, group)
  }

  #switch(now: number, { kind, node, life }: Extract<Happening, { readonly life: number }>): void {
    const { outages, patienceDays = Infinity } = this.#model
    if (kind === 'node-off' && outages !== undefined) {
      const off = this.#draw(outages.off)
      this.#isOn[node] = false
      if (off > patienceDays) {
        this.#queue.add(now + patienceDays, { kind: 'node-given-up', node, life })
      }
      this.#queue.add(now + off, { kind: 'node-on', node, life })
    } else if (kind === 'node-given-up') {
      this.#isGivenUp[node] = true
      this.#doubles[node] = this.#shares.doublesOn(node)
      for (const group of this.#shares.groupsOn(node)) this.#consider(now, group)
    } else if (kind === 'node-on' && outages !== undefined) {
      if (this.#isGivenUp[node] === true) {
        this.#wasted += this.#shares.doublesOn(node) - (this.#doubles[node] as number)
      }
      this.#isOn[node] = true
      this.#isGivenUp[node] = false
      this.#queue.add(now + this.#draw(outages.on), { kind: 'node-off', node, life })
      this.#feedStarved(now)
    }
  }

  /** There is room for shares again that had none. */
  #feedStarved(now: number): void {
    const groups = [...this.#starved]
    this.#starved.clear()
    for (const group of groups) this.#consider(now, group)
  }

  /** Sees to it that a group is repaired if it wants to be. */
  #consider(now: number, group: number): void {
    if (this.#underRepair.has(group) || this.#shares.isLost(group)) return
    if (this.#countedOn(group) >= this.#model.repairBelow) return
    this.#underRepair.add(group)
    this.#queue.add(now + this.#draw(this.#model.repair), { kind: 'repair', group })
  }

  /** Makes every share anew that is counted as lost and that a node is free for, if k can be read now. */
  #repair(now: number, group: number): void {
    this.#underRepair.delete(group)
    if (this.#shares.isLost(group) || this.#countedOn(group) >= this.#model.repairBelow) return
    const isReadable = (node: number): boolean => this.#isThere(node) && this.#isOn[node] === true
    const { required, total } = this.#model.code
    if (this.#shares.distinct(group, isReadable) < required) {
      // Too few are on: looked at again the next day.
      this.#underRepair.add(group)
      this.#queue.add(now + 1, { kind: 'repair', group })
      return
    }
    const free = (this.#model.orders[group] as readonly number[]).filter(
      (node) => isReadable(node) && !this.#shares.holds(group, node),
    )
    for (let index = 0; index < total; index++) {
      if (this.#shares.isHeld(group, index, this.#isCountedOn)) continue
      const node = free.shift()
      if (node === undefined) {
        this.#starved.add(group)
        return
      }
      this.#shares.put(group, index, node)
      this.#repaired++
    }
  }

  #countedOn(group: number): number {
    return this.#shares.distinct(group, this.#isCountedOn)
  }

  readonly #isCountedOn = (node: number): boolean =>
    this.#isThere(node) && this.#isGivenUp[node] !== true

  #isThere(node: number): boolean {
    return (this.#life[node] as number) % 2 === 0
  }

  #draw(span: Span): number {
    switch (span.kind) {
      case 'fixed':
        return span.days
      case 'exponential':
        return this.#exponential(span.meanDays)
      case 'mixed':
        return this.#exponential(
          this.#randomness.chance(span.longPart) ? span.longDays : span.shortDays,
        )
    }
  }

  #exponential(mean: number): number {
    return -mean * Math.log(1 - this.#randomness.fraction())
  }
}
