import { linkSignals } from '../../foundation/abort.ts'
import { sleep } from '../../foundation/clock.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import { shareIndices } from '../../protocol/bitmap.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { MAX_SLOTS } from '../../protocol/limits.ts'
import type { Op, ReplyOf, RequestOf } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import type { GridContext } from '../context.ts'
import { SilentNodeError } from '../nodes/patience.ts'
import type { Holding } from '../nodes/survey.ts'
import { maximaOf, RecordShelf, type Head } from '../slots/heads.ts'

/** Who says to hold which shares of some blocks. */
export interface BlockSurvey {
  /** What was claimed of each block, in the order asked. */
  readonly claims: readonly (readonly Holding[])[]
  readonly answered: ReadonlySet<NodeKey>
  /** Whether every node of the grid has answered: only then is what was not found not there. */
  readonly isComplete: boolean
}

/** What the nodes have of one slot. */
export interface SlotSurvey {
  /** Its states that no other one contains and that have not expired. */
  readonly heads: readonly Head[]
  /** What each node that answered holds. */
  readonly answers: ReadonlyMap<NodeKey, readonly Head[]>
  /** Copies that the caller's leases were renewed on. */
  readonly copiesLeased: number
  readonly isComplete: boolean
}

/**
 * Asks every node of the grid about many blocks or slots at once: placement is where things should be, and a survey is
 * to find out where they are. A node that falls silent is waited for once, then left alone for a while.
 */
export class Surveyor {
  readonly #context: GridContext
  readonly #leaseS: number | undefined
  readonly #signal: AbortSignal
  readonly #shelf = new RecordShelf()
  /** Nodes that have not answered, until when they are not asked again, in monotonic ms. */
  readonly #silentUntilMs = new Map<NodeKey, number>()
  readonly #answered = new Set<NodeKey>()
  readonly #failed = new Set<NodeKey>()

  /** @param options.leaseS renews the caller's leases on all that is found, if given */
  constructor(
    context: GridContext,
    { leaseS, signal }: { leaseS: number | undefined; signal: AbortSignal },
  ) {
    this.#context = context
    this.#leaseS = leaseS
    this.#signal = signal
  }

  /** Nodes that answered whenever they were asked. */
  get nodesAnswered(): NodeKey[] {
    return this.#nodes.filter((node) => this.#answered.has(node) && !this.#failed.has(node))
  }

  /** Nodes that left a question unanswered. */
  get nodesSilent(): NodeKey[] {
    return this.#nodes.filter((node) => this.#failed.has(node))
  }

  get #nodes(): NodeKey[] {
    return this.#context.view.nodes.map(({ key }) => key)
  }

  /** @param ids at most as many as fit one message */
  async blocks(ids: readonly BlockId[]): Promise<BlockSurvey> {
    const request =
      this.#leaseS === undefined
        ? { op: 'have' as const, ids }
        : { op: 'lease' as const, ids, leaseS: this.#leaseS }
    const claims: Holding[][] = ids.map(() => [])
    const answered = await this.#askAll<'have' | 'lease'>(request, ({ holdings }, node) => {
      if (holdings.length !== ids.length) return false
      holdings.forEach((held, at) => {
        for (const index of shareIndices(held)) claims[at]?.push({ index, node })
      })
      return true
    })
    return { claims, answered, isComplete: answered.size === this.#context.view.nodes.length }
  }

  async slots(slots: readonly SlotKey[]): Promise<SlotSurvey[]> {
    const starts = Array.from({ length: Math.ceil(slots.length / MAX_SLOTS) }, (_, at) => at)
    const surveys = await mapConcurrently(starts, SLOT_MESSAGES_AT_ONCE, async (at) => {
      return await this.#slotsOfOneMessage(slots.slice(at * MAX_SLOTS, (at + 1) * MAX_SLOTS))
    })
    return surveys.flat()
  }

  async #slotsOfOneMessage(slots: readonly SlotKey[]): Promise<SlotSurvey[]> {
    const answers = slots.map(() => new Map<NodeKey, readonly Head[]>())
    const leased = slots.map(() => 0)
    const request = {
      op: 'slot-get' as const,
      slots,
      ...(this.#leaseS !== undefined && { leaseS: this.#leaseS }),
    }
    const answered = await this.#askAll<'slot-get'>(request, ({ heads, unleased }, node) => {
      if (heads.length !== slots.length) return false
      slots.forEach((slot, at) => {
        // A node that hands out what is no record of the slot has none of its states.
        const held = this.#shelf.readAll(slot, heads[at] ?? []) ?? []
        answers[at]?.set(node, held)
        const isLeased = held.length > 0 && this.#leaseS !== undefined && !unleased.includes(at)
        if (isLeased) leased[at] = (leased[at] ?? 0) + 1
      })
      return true
    })
    const isComplete = answered.size === this.#context.view.nodes.length
    return answers.map((ofSlot, at) => {
      const heads = maximaOf([...ofSlot.values()].flat().filter(this.#isLive))
      return { heads, answers: ofSlot, copiesLeased: leased[at] ?? 0, isComplete }
    })
  }

  readonly #isLive = ({ record: { expiresS } }: Head): boolean =>
    expiresS === 0 || expiresS > this.#context.clock.nowMs() / 1000

  /** @param take returns whether the reply is one to the question */
  async #askAll<O extends Op>(
    request: RequestOf<O>,
    take: (reply: ReplyOf<O>, node: NodeKey) => boolean,
  ): Promise<ReadonlySet<NodeKey>> {
    const answered = new Set<NodeKey>()
    await Promise.all(
      this.#context.view.nodes.map(async ({ key }) => {
        const reply = await this.#ask<O>(key, request)
        const isAnswer = reply !== undefined && take(reply, key)
        if (isAnswer) answered.add(key)
        ;(isAnswer ? this.#answered : this.#failed).add(key)
      }),
    )
    return answered
  }

  async #ask<O extends Op>(node: NodeKey, request: RequestOf<O>): Promise<ReplyOf<O> | undefined> {
    const { clock } = this.#context
    const untilMs = this.#silentUntilMs.get(node)
    if (untilMs !== undefined && clock.monotonicMs() < untilMs) return undefined
    const isKnownSilent = untilMs !== undefined
    let outcome = await this.#askOnce<O>(node, request, isKnownSilent ? 0 : SILENCE_GRACE_MS)
    if (outcome === 'failed' && !isKnownSilent) {
      // It may have been started anew since it was last called, and a new connection will do.
      await sleep(clock, RETRY_MS, this.#signal)
      outcome = await this.#askOnce<O>(node, request, SILENCE_GRACE_MS)
    }
    if (outcome === 'failed' || outcome === 'silent') {
      this.#silentUntilMs.set(node, clock.monotonicMs() + LEFT_ALONE_MS)
      return undefined
    }
    this.#silentUntilMs.delete(node)
    return outcome
  }

  async #askOnce<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    graceMs: number,
  ): Promise<ReplyOf<O> | 'failed' | 'silent'> {
    const { monitor, clock } = this.#context
    using silence = linkSignals(this.#signal)
    let cancelGrace: (() => void) | undefined
    const onSuspect = (): void => {
      cancelGrace = clock.after(graceMs, () => {
        silence.abort(new SilentNodeError(node))
      })
    }
    try {
      return await monitor.call<O>(node, request, { signal: silence.signal, onSuspect })
    } catch (error) {
      this.#signal.throwIfAborted()
      if (!(error instanceof HayloftError)) throw error
      return error instanceof SilentNodeError ? 'silent' : 'failed'
    } finally {
      cancelGrace?.()
    }
  }
}

/**
 * How long a node that has fallen silent is waited for, the first time: to go on without it costs every block that it
 * holds its good name, and a repair new shares of them.
 */
const SILENCE_GRACE_MS = 4_000
/** To each node: hides round trips; an answer may have a MiB of records. */
const SLOT_MESSAGES_AT_ONCE = 4
/** How long a node that gave no answer is left alone: an attempt to reach it may take long. */
const LEFT_ALONE_MS = 2_000
const RETRY_MS = 250
