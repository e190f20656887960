import { deferred } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { DEFAULT_LEASE_S } from '../../protocol/limits.ts'
import type { SlotPutReply } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { compareVectors, covers } from '../../protocol/version-vector.ts'
import type { GridContext } from '../context.ts'
import { maximaOf, type Head, type RecordShelf } from './heads.ts'

/** What became of a record that was sent to the nodes of its slot. */
export interface Replication {
  /**
   * - `durable`: enough of the slot's own nodes keep it that every settled read finds it.
   * - `degraded`: more than k nodes keep it, and it wants to be brought to others, or to the slot's own.
   * - `conflict`: nodes know states that it does not contain.
   * - `failed`: too few nodes took it.
   */
  readonly outcome: 'durable' | 'degraded' | 'conflict' | 'failed'
  readonly acknowledged: number
  /** Those of the slot's own nodes, where readers look first. */
  readonly acknowledgedByOwn: number
  /** States of the slot that the record does not contain. */
  readonly others: readonly Head[]
}

export interface ReplicateOptions {
  readonly head: Head
  /** Nodes in the order to try them. */
  readonly order: readonly NodeKey[]
  /** Copies that a slot should have: n. The first so many nodes of the order are the slot's own. */
  readonly copies: number
  /** Acknowledgements of own nodes from which on the record is durable; of all, from which on it counts at all. */
  readonly durableAt: number
  readonly degradedAt: number
  /** The heads that the record was made from: nodes that know others say so instead of keeping it. */
  readonly ifHeads?: readonly Uint8Array[] | undefined
  /** Ends everything, also what goes on after the result. */
  readonly signal: AbortSignal
}

export interface ReplicateTools {
  readonly context: GridContext
  readonly shelf: RecordShelf
}

/**
 * Sends a record to the first n nodes of its slot's order that take it, and resolves as soon as its fate is known; what
 * is still on its way goes on.
 * @returns `done` resolves when nothing is on its way any more, with whether the record has become durable by then
 */
export function replicate(
  tools: ReplicateTools,
  options: ReplicateOptions,
): { result: Promise<Replication>; done: Promise<boolean> } {
  const replicating = new Replicating(tools, options)
  return replicating.run()
}

class Replicating {
  readonly #tools: ReplicateTools
  readonly #options: ReplicateOptions
  readonly #unasked: NodeKey[]
  readonly #result = deferred<Replication>()
  readonly #done = deferred<boolean>()
  readonly #own: ReadonlySet<NodeKey>
  #others: readonly Head[] = []
  #acknowledged = 0
  #acknowledgedByOwn = 0
  /** Nodes that answered with states which the record does not contain. */
  #conflicts = 0
  /** Nodes that owe an answer and are not known to be silent. */
  #awaited = 0
  #awaitedOfOwn = 0
  /** Nodes that owe an answer, silent or not. */
  #sending = 0
  #isGraceOver = false
  #cancelGrace: (() => void) | undefined

  constructor(tools: ReplicateTools, options: ReplicateOptions) {
    this.#tools = tools
    this.#options = options
    const { order } = options
    const { monitor } = tools.context
    this.#own = new Set(order.slice(0, options.copies))
    this.#unasked = [
      ...order.filter((node) => monitor.isPreferred(node)),
      ...order.filter((node) => !monitor.isPreferred(node)),
    ]
  }

  run(): { result: Promise<Replication>; done: Promise<boolean> } {
    for (let sent = 0; sent < this.#options.copies; sent++) this.#sendNext()
    this.#look()
    return { result: this.#result.promise, done: this.#done.promise }
  }

  #sendNext(): void {
    const node = this.#unasked.shift()
    if (node === undefined || this.#options.signal.aborted) return
    const ofOwn = this.#own.has(node) ? 1 : 0
    this.#awaited += 1
    this.#awaitedOfOwn += ofOwn
    this.#sending += 1
    let isAwaited = true
    const release = (): void => {
      if (!isAwaited) return
      this.#awaited -= 1
      this.#awaitedOfOwn -= ofOwn
      isAwaited = false
    }
    const onSuspect = (): void => {
      release()
      this.#sendNext()
      this.#look()
    }
    const send = async (): Promise<void> => {
      let isTaken = false
      try {
        isTaken = await this.#send(node, onSuspect)
      } catch (error) {
        if (!(error instanceof HayloftError) && !this.#options.signal.aborted)
          this.#result.reject(error)
      }
      if (!isTaken && isAwaited) this.#sendNext()
      release()
      this.#sending -= 1
      this.#look()
    }
    void send()
  }

  /** @returns false if the node is of no use */
  async #send(node: NodeKey, onSuspect: () => void): Promise<boolean> {
    const { ifHeads } = this.#options
    const reply = await this.#put(node, onSuspect, ifHeads)
    const others = this.#othersIn(reply)
    if (others === undefined) return false
    if (reply.outcome !== 'heads-differ' || others.length > 0)
      return this.#take(node, reply, others)
    // It only missed what the record contains anyway.
    const again = await this.#put(node, onSuspect, undefined)
    return this.#take(node, again, this.#othersIn(again) ?? [])
  }

  async #put(
    node: NodeKey,
    onSuspect: () => void,
    ifHeads: readonly Uint8Array[] | undefined,
  ): Promise<SlotPutReply> {
    const { head, signal } = this.#options
    const request = {
      op: 'slot-put' as const,
      record: head.record.bytes,
      leaseS: DEFAULT_LEASE_S,
      ...(ifHeads !== undefined && { ifHeads }),
    }
    return await this.#tools.context.monitor.call<'slot-put'>(node, request, { signal, onSuspect })
  }

  #take(node: NodeKey, { outcome }: SlotPutReply, others: readonly Head[]): boolean {
    this.#others = maximaOf([...this.#others, ...others])
    if (outcome === 'stored' || outcome === 'have') {
      this.#acknowledged += 1
      if (this.#own.has(node)) this.#acknowledgedByOwn += 1
      return true
    }
    const isConflict =
      outcome === 'stale' || outcome === 'merge-first' || outcome === 'heads-differ'
    // A conflict with nothing is a lie, or with a state that has expired.
    if (!isConflict || others.length === 0) return false
    this.#conflicts += 1
    return true
  }

  /** States in a reply that the record does not contain; undefined if there is one that is none. */
  #othersIn({ heads }: SlotPutReply): Head[] | undefined {
    const { head } = this.#options
    const read = this.#tools.shelf.readAll(head.record.slot, heads)
    return read?.filter(
      ({ name, record }) =>
        name !== head.name &&
        (!covers(head.record.clock, record.clock) ||
          compareVectors(head.record.clock, record.clock) === 'equal'),
    )
  }

  #look(): void {
    const { durableAt, degradedAt } = this.#options
    const isEnough = this.#acknowledged >= durableAt
    // Copies elsewhere keep a state as well; but once the slot's own nodes are back, that is where readers look.
    const isElsewhere = this.#acknowledgedByOwn + this.#awaitedOfOwn < durableAt
    if (this.#acknowledgedByOwn >= durableAt) this.#finish('durable')
    else if (isEnough && isElsewhere) this.#finish('degraded')
    else if (this.#conflicts > 0 && this.#acknowledged + this.#awaited < durableAt)
      this.#finish('conflict')
    else if (this.#awaited === 0) {
      // Nobody is left but silent nodes, who may still come back.
      if (this.#acknowledged >= degradedAt) this.#finish('degraded')
      else if (this.#sending === 0 || this.#isGraceOver) this.#finish('failed')
      else
        this.#cancelGrace ??= this.#tools.context.clock.after(SILENT_GRACE_MS, () => {
          this.#isGraceOver = true
          this.#look()
        })
    }
    if (this.#sending > 0) return
    this.#cancelGrace?.()
    this.#done.resolve(this.#acknowledgedByOwn >= durableAt)
  }

  #finish(outcome: Replication['outcome']): void {
    this.#result.resolve({
      outcome,
      acknowledged: this.#acknowledged,
      acknowledgedByOwn: this.#acknowledgedByOwn,
      others: this.#others,
    })
  }
}

/** How long a write waits for silent nodes once it depends on them. */
const SILENT_GRACE_MS = 2_000
