import type { Clock } from '../../foundation/clock.ts'
import type { Op, ReplyOf, RequestOf } from '../../protocol/messages.ts'
import { UnreachableError, type Caller, type CallOptions } from '../../protocol/network.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { bytesOf, Line, loadOf } from './line.ts'

/**
 * Calls nodes and keeps an eye on each: how long it takes to answer, and whether it has fallen silent.
 *
 * A node is *suspect* while it owes replies and has said nothing for several times what nodes take these days, though
 * others do answer, and longer than what is under way to and from all of them takes to pass our own line: frozen, swapping, or
 * behind a dead line. It is *down* for a while after it could not be reached. Both are opinions for
 * choosing among nodes, not verdicts: one reply clears a node of either.
 */
export class NodeMonitor {
  readonly #caller: Caller
  readonly #clock: Clock
  readonly #nodes = new Map<NodeKey, NodeRecord>()
  readonly #typical: Record<Weight, number | undefined> = { light: undefined, heavy: undefined }
  readonly #lines = { up: new Line(FIRST_UP_BYTES_PER_MS), down: new Line(FIRST_DOWN_BYTES_PER_MS) }
  readonly #closing = new AbortController()
  #distrusted: ReadonlySet<NodeKey> = new Set()
  #heardAnyMs = -Infinity
  /** When heavy calls were made that were answered of late, in the order of the answers. */
  readonly #answeredHeavy: number[] = []
  #heardHeavyMs = -Infinity
  /** Shares that nodes owe. */
  #sharesAsked = 0
  #isAskingAround = false

  constructor(caller: Caller, clock: Clock) {
    this.#caller = caller
    this.#clock = clock
  }

  /** Like {@link Caller.call}; `onSuspect` is called when the node turns suspect before it has replied. */
  async call<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    options: CallOptions & { readonly onSuspect?: (() => void) | undefined } = {},
  ): Promise<ReplyOf<O>> {
    const record = this.#recordOf(node)
    const pending: PendingCall = {
      startedMs: this.#clock.monotonicMs(),
      weight: request.op === 'put' || request.op === 'get' ? 'heavy' : 'light',
      onSuspect: options.onSuspect,
    }
    const load = loadOf(request, options)
    const line = this.#lines[load.direction]
    record.pending.add(pending)
    line.began(load.bytes)
    if (request.op === 'get') this.#sharesAsked += 1
    if (record.suspect) tellSuspect(pending)
    else this.#watch(record)
    try {
      const { signal, expectShort } = options
      const reply = await this.#caller.call<O>(node, request, { signal, expectShort })
      this.#heard(record, pending)
      const { startedMs } = pending
      const bytes = reply.op === 'get' ? bytesOf(reply) : load.bytes
      if (bytes > 0) line.passed(bytes, { startedMs, nowMs: record.heardMs })
      return reply
    } catch (error) {
      if (error instanceof UnreachableError)
        record.downUntilMs = this.#clock.monotonicMs() + DOWN_MS
      // A refusal is an answer too; an aborted call only says that the node would have taken longer.
      else if (options.signal?.aborted === true) this.#gaveUp(record, pending)
      else this.#heard(record, pending)
      throw error
    } finally {
      record.pending.delete(pending)
      line.ended(load.bytes)
      if (request.op === 'get') this.#sharesAsked -= 1
      if (record.pending.size === 0) this.#unwatch(record)
      // It answered this one and is clear of suspicion, but may never answer the others.
      else if (!record.suspect) this.#watch(record)
    }
  }

  /** Whether there is no reason to expect trouble from the node. */
  isGood(node: NodeKey): boolean {
    const record = this.#nodes.get(node)
    return record === undefined || (!record.suspect && !this.#isDown(record))
  }

  /** Nodes that have failed to prove what they say they hold: they are asked after all others from now on. */
  distrust(nodes: ReadonlySet<NodeKey>): void {
    this.#distrusted = nodes
  }

  /** Whether to ask the node before others: there is no reason to expect trouble, and it is trusted. */
  isPreferred(node: NodeKey): boolean {
    return this.isGood(node) && !this.#distrusted.has(node)
  }

  /** Whether the node owes replies and is silent, as against: is known to be away. */
  isSuspect(node: NodeKey): boolean {
    return this.#nodes.get(node)?.suspect === true
  }

  /**
   * How slow the node is, in doublings of 25 ms, so that nodes which differ by noise compare equal.
   * Zero for one never asked: a newcomer deserves a try.
   */
  slowness(node: NodeKey): number {
    const replyMs = this.#nodes.get(node)?.heavyReplyMs ?? 0
    return Math.max(0, Math.ceil(Math.log2(replyMs / 25)))
  }

  /** After how long without a share it is worth to ask one more node, in milliseconds. */
  hedgeDelayMs(): number {
    const typical = this.#typical.heavy
    return typical === undefined
      ? FIRST_HEDGE_MS
      : clamp(typical * PATIENCE, MIN_HEDGE_MS, MAX_SILENCE_MS)
  }

  /** How long to wait for shares that are on their way to silent nodes alone, in milliseconds: as long as the line needs. */
  graceMs(): number {
    return clamp(this.#lines.up.drainMs(), MIN_GRACE_MS, MAX_GRACE_MS)
  }

  /**
   * Whether a share that was asked for at `sinceMs` would come sooner from somebody else. While others come in all the time, it
   * may as well stand in line: a line that is full gets no faster by asking more of it. Then only shares that were asked
   * for later, and are there, tell that this one's node is slow.
   */
  isOvertaken(sinceMs: number): boolean {
    // What is known of the line may come from shares that are smaller than those that stand in it now.
    const queued = Math.max(1, this.#sharesAsked / SHARES_AT_EASE)
    const lastMs = Math.max(sinceMs, this.#heardHeavyMs)
    const dueMs = Math.max(queued * this.hedgeDelayMs(), this.#lines.down.drainMs())
    const isIdle = this.#clock.monotonicMs() - lastMs >= dueMs
    if (isIdle) return true
    return this.#answeredHeavy.filter((startedMs) => startedMs > sinceMs).length >= OVERTAKEN_BY
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new Error('the grid is closed'))
    for (const record of this.#nodes.values()) this.#unwatch(record)
  }

  #recordOf(node: NodeKey): NodeRecord {
    let record = this.#nodes.get(node)
    if (record === undefined) {
      record = {
        pending: new Set(),
        heardMs: -Infinity,
        suspect: false,
        doubted: false,
        downUntilMs: -Infinity,
        heavyReplyMs: undefined,
        cancelTimer: undefined,
      }
      this.#nodes.set(node, record)
    }
    return record
  }

  #isDown(record: NodeRecord): boolean {
    return record.downUntilMs > -Infinity && record.downUntilMs > this.#clock.monotonicMs()
  }

  #heard(record: NodeRecord, { startedMs, weight }: PendingCall): void {
    const now = this.#clock.monotonicMs()
    const tookMs = now - startedMs
    record.heardMs = now
    record.suspect = false
    record.doubted = false
    record.downUntilMs = -Infinity
    this.#heardAnyMs = now
    this.#typical[weight] = average(this.#typical[weight], tookMs)
    if (weight === 'light') return
    record.heavyReplyMs = average(record.heavyReplyMs, tookMs)
    this.#heardHeavyMs = now
    this.#answeredHeavy.push(startedMs)
    if (this.#answeredHeavy.length > ANSWERS_REMEMBERED) this.#answeredHeavy.shift()
  }

  /** Others were faster, so the node must be known as slower than they, or it would be asked first time and again. */
  #gaveUp(record: NodeRecord, { startedMs, weight }: PendingCall): void {
    const tookMs = this.#clock.monotonicMs() - startedMs
    if (weight === 'heavy') record.heavyReplyMs = Math.max(record.heavyReplyMs ?? 0, tookMs)
  }

  /** Keeps one timer a node, set for the moment at which its silence would become suspicious. */
  #watch(record: NodeRecord): void {
    if (record.cancelTimer !== undefined) return
    const dueMs = this.#silentSinceMs(record) + this.#patienceMs(record)
    this.#lookAgain(record, Math.max(1, dueMs - this.#clock.monotonicMs()))
  }

  #lookAgain(record: NodeRecord, waitMs: number): void {
    record.cancelTimer = this.#clock.after(waitMs, () => {
      record.cancelTimer = undefined
      if (record.pending.size === 0 || record.suspect) return
      const silentSinceMs = this.#silentSinceMs(record)
      const silentMs = this.#clock.monotonicMs() - silentSinceMs
      if (silentMs < this.#patienceMs(record)) {
        record.doubted = false
        this.#watch(record)
        return
      }
      if (this.#mayBeTheLine(silentMs)) {
        record.doubted = false
        this.#lookAgain(record, SECOND_LOOK_MS)
        return
      }
      // If nobody has said anything since, it may as well be our own line or a busy machine: ask around.
      const isAlone = this.#heardAnyMs <= silentSinceMs && silentMs < MAX_SILENCE_MS
      if (isAlone) this.#askAround()
      if (isAlone || !record.doubted) {
        // A second look, so that replies which wait for a busy process to read them are read.
        record.doubted = true
        this.#lookAgain(record, SECOND_LOOK_MS)
        return
      }
      record.suspect = true
      for (const pending of record.pending) tellSuspect(pending)
    })
  }

  /** Sees whether nodes of which nothing is owed answer; one round at a time. */
  #askAround(): void {
    if (this.#isAskingAround) return
    const others = [...this.#nodes].filter(
      ([, { pending, suspect }]) => pending.size === 0 && !suspect,
    )
    if (others.length === 0) return
    this.#isAskingAround = true
    const asked = others.slice(0, NODES_ASKED_AROUND).map(async ([node]) => {
      try {
        await this.#caller.call<'hello'>(node, { op: 'hello' }, { signal: this.#closing.signal })
        this.#heardAnyMs = this.#clock.monotonicMs()
      } catch {
        // No answer tells nothing.
      }
    })
    void Promise.all(asked).finally(() => {
      this.#isAskingAround = false
    })
  }

  /** Whether what is asked, or the answer, may as well wait its turn among all that is under way. */
  #mayBeTheLine(silentMs: number): boolean {
    const drainMs = this.#lines.up.drainMs() + this.#lines.down.drainMs()
    return silentMs < Math.min(drainMs * LINE_PATIENCE, MAX_LINE_MS)
  }

  #unwatch(record: NodeRecord): void {
    record.cancelTimer?.()
    record.cancelTimer = undefined
  }

  #silentSinceMs({ pending, heardMs }: NodeRecord): number {
    let oldest = Infinity
    for (const { startedMs } of pending) oldest = Math.min(oldest, startedMs)
    return Math.max(heardMs, oldest)
  }

  #patienceMs({ pending }: NodeRecord): number {
    let patienceMs = MIN_SILENCE_MS
    for (const { weight } of pending) patienceMs = Math.max(patienceMs, this.#patienceFor(weight))
    return patienceMs
  }

  #patienceFor(weight: Weight): number {
    const typical = this.#typical[weight]
    // Nothing is known of this line yet: shares may take their time on it.
    if (typical === undefined) return FIRST_SILENCE_MS
    return clamp(typical * PATIENCE, MIN_SILENCE_MS, MAX_SILENCE_MS)
  }
}

/** Light: a question. Heavy: carries a share, so its time is the line's. */
type Weight = 'light' | 'heavy'

interface PendingCall {
  readonly startedMs: number
  readonly weight: Weight
  /** Gone once it was called: a node may turn suspect twice over one request. */
  onSuspect: (() => void) | undefined
}

function tellSuspect(pending: PendingCall): void {
  const { onSuspect } = pending
  pending.onSuspect = undefined
  onSuspect?.()
}

interface NodeRecord {
  readonly pending: Set<PendingCall>
  heardMs: number
  suspect: boolean
  /** Whether its silence was found too long once. */
  doubted: boolean
  downUntilMs: number
  heavyReplyMs: number | undefined
  cancelTimer: (() => void) | undefined
}

/** Silence shorter than this is never suspicious: a disk that syncs, a garbage collection. */
const MIN_SILENCE_MS = 1000
/** Silence longer than this always is. */
const MAX_SILENCE_MS = 15_000
const FIRST_SILENCE_MS = 1500
/** What lines are taken to carry at least before any share has passed: 512 kbit/s and 2 Mbit/s. */
const FIRST_UP_BYTES_PER_MS = 64
const FIRST_DOWN_BYTES_PER_MS = 256
/** Lines are not shared evenly: how many times what all that is under way takes, and how long at most. */
const LINE_PATIENCE = 2
const MAX_LINE_MS = 300_000
const SECOND_LOOK_MS = 150
const MIN_GRACE_MS = 750
const MAX_GRACE_MS = 30_000
const NODES_ASKED_AROUND = 2
const FIRST_HEDGE_MS = 750
const MIN_HEDGE_MS = 250
/** Shares asked for later that are there: those of a block or two, for lines do not carry them in turn. */
const OVERTAKEN_BY = 6
const ANSWERS_REMEMBERED = 64
/** Shares on their way at once that do not yet wait for each other: those of one block. */
const SHARES_AT_EASE = 3
/** How many times the typical reply a node may take before others are asked in its stead. */
const PATIENCE = 4
/** How long an unreachable node is left alone. */
const DOWN_MS = 5000
/** Weight of the newest sample in a moving average. */
const NEWEST = 0.2

function average(before: number | undefined, sample: number): number {
  return before === undefined ? sample : before + NEWEST * (sample - before)
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
