import { linkSignals } from '../../foundation/abort.ts'
import { sleep } from '../../foundation/clock.ts'
import { deferred } from '../../foundation/concurrency.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { HayloftError } from '../../foundation/error.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { headsDigest } from '../../protocol/slot-record.ts'
import { WrongSlotAnswerError } from './batcher.ts'
import { sameHeads, type Head } from './heads.ts'
import type { KnownSlot } from './known.ts'
import type { SlotReplicas } from './replicas.ts'
import { WATCH_WAIT_S } from './watch-batcher.ts'
import type { Refreshed } from './results.ts'

/**
 * What a slot is, and again after every change, until `signal` fires. A few nodes of the slot's order are asked to tell
 * when it changes; one that fails is replaced by the next. Now and then all copies are read, as no node is sure to tell
 * the truth; often, while none of them answers.
 */
export async function* watchSlot(
  replicas: SlotReplicas,
  slot: SlotKey,
  signal: AbortSignal,
): AsyncGenerator<Refreshed> {
  using ending = linkSignals(signal, replicas.closed)
  const watch = new Watch(replicas, await replicas.known(slot), ending.signal)
  const running = watch.run()
  try {
    yield* watch.states()
  } finally {
    ending.abort(new Error('the watch has ended'))
    await running
  }
}

class Watch {
  readonly #replicas: SlotReplicas
  readonly #known: KnownSlot
  readonly #signal: AbortSignal
  /** Nodes that were not chosen to tell of changes yet, and those that failed, which come last. */
  readonly #candidates: NodeKey[]
  /** Nodes that have answered the last question. */
  #listening = 0
  #changed = deferred()
  #latest: Refreshed | undefined

  constructor(replicas: SlotReplicas, known: KnownSlot, signal: AbortSignal) {
    this.#replicas = replicas
    this.#known = known
    this.#signal = signal
    this.#candidates = replicas.orderOf(known.slot)
  }

  async run(): Promise<void> {
    const forget = this.#known.onChange(() => {
      this.#tell({ heads: this.#known.heads, freshness: 'settled', missing: undefined })
    })
    const listeners = Math.min(LISTENERS, this.#candidates.length)
    await Promise.all([
      this.#untilEnd(async () => {
        await this.#poll()
      }),
      ...Array.from({ length: listeners }, async () => {
        await this.#untilEnd(async () => {
          await this.#listen()
        })
      }),
    ])
    forget()
  }

  async *states(): AsyncGenerator<Refreshed> {
    let told: readonly Head[] | undefined
    for (;;) {
      const changed = this.#changed.promise
      const latest = this.#latest
      const isNews = told === undefined || !sameHeads(latest?.heads ?? [], told)
      if (latest !== undefined && (isNews || latest.missing !== undefined)) {
        this.#latest = { ...latest, missing: undefined }
        told = latest.heads
        yield latest
      } else await changed
      if (this.#signal.aborted) return
    }
  }

  #tell(latest: Refreshed): void {
    this.#latest = latest
    this.#changed.resolve()
    this.#changed = deferred()
  }

  /** Runs `work`, which ends only with the watch. */
  async #untilEnd(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!this.#signal.aborted) throw error
    } finally {
      this.#changed.resolve()
    }
  }

  async #poll(): Promise<never> {
    for (;;) {
      try {
        this.#tell(await this.#replicas.refresh(this.#known, { signal: this.#signal }))
      } catch (error) {
        if (!(error instanceof HayloftError)) throw error
      }
      await this.#pause(this.#listening > 0 ? POLL_MS : POLL_ALONE_MS)
    }
  }

  /** Listens to one node after another. */
  async #listen(): Promise<never> {
    for (let failures = 0; ; failures++) {
      const node = this.#candidates.shift()
      if (node !== undefined) {
        const startMs = this.#replicas.context.clock.monotonicMs()
        try {
          await this.#listenTo(node)
        } catch (error) {
          if (!(error instanceof HayloftError)) throw error
        } finally {
          this.#candidates.push(node)
        }
        const lastedMs = this.#replicas.context.clock.monotonicMs() - startMs
        if (lastedMs > LONGEST_PAUSE_MS) failures = 0
      }
      await this.#pause(Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS))
    }
  }

  /** Asks a node again and again what has changed. @throws HayloftError once it fails */
  async #listenTo(node: NodeKey): Promise<never> {
    const { clock } = this.#replicas.context
    let heard = false
    /** What the node said last: another than ours if it lags, but no news. */
    let known = headsDigest(this.#known.heads.map(({ digest }) => digest))
    try {
      for (;;) {
        const askedMs = clock.monotonicMs()
        const heads = await this.#ask(node, known)
        const tookMs = clock.monotonicMs() - askedMs
        // Half of it: no two clocks go quite alike.
        if (heads === undefined && tookMs < (WATCH_WAIT_S * 1000) / 2)
          throw new WrongSlotAnswerError('A node did not wait as long as it was asked to.')
        if (!heard) this.#listening += 1
        heard = true
        if (heads === undefined) continue
        const digest = headsDigest(heads.map((head) => head.digest))
        if (equalBytes(digest, known))
          throw new WrongSlotAnswerError('A node told of a change that is none.')
        known = digest
        const isNews = this.#known.learn(heads)
        if (isNews) this.#replicas.inBackground(this.#known.save())
        this.#replicas.catchUp(this.#known, node, heads)
        // A node that swings between old states must not keep us busy.
        if (!isNews) await this.#pause(FIRST_PAUSE_MS)
      }
    } finally {
      if (heard) this.#listening -= 1
    }
  }

  /** @returns the node's heads if they are others than `known` */
  async #ask(node: NodeKey, known: Uint8Array): Promise<readonly Head[] | undefined> {
    const { slot } = this.#known
    const { watching, shelf } = this.#replicas
    const told = await watching.ask(node, { slot, known, signal: this.#signal })
    if (told === undefined) return undefined
    const heads = shelf.readAll(slot, told)
    if (heads === undefined) throw new WrongSlotAnswerError('A node handed out what is no record.')
    return heads
  }

  async #pause(longestMs: number): Promise<void> {
    const { clock, randomness } = this.#replicas.context
    const pauseMs = longestMs / 2 + randomBelow(randomness, longestMs / 2)
    await sleep(clock, pauseMs, this.#signal)
  }
}

/** Nodes that tell of changes: one may lag or lie. */
const LISTENERS = 3
/** All copies are read so often, while nodes tell of changes and while none does. */
const POLL_MS = 120_000
const POLL_ALONE_MS = 10_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
