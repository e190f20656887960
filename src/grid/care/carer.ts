import { HayloftError, messageOf, systemCodeOf } from '../../foundation/error.ts'
import { linkSignals } from '../../foundation/abort.ts'
import { sleep } from '../../foundation/clock.ts'
import { randomBelow } from '../../foundation/randomness.ts'
import type { GridContext } from '../context.ts'
import { auditNodes } from './audit-nodes.ts'
import { drillRoot } from './drill-root.ts'
import type { CareEvent } from './events.ts'
import { NEW_ROOT, type CareMemory, type RootRecord } from './memory.ts'
import { NodeBook } from './node-book.ts'
import { rootIdOf, type CareRoot } from './roots.ts'
import { CARE_INTERVALS, drillDueMs, visitDueMs, type CareIntervals } from './schedule.ts'
import { TrafficBudget } from './traffic-budget.ts'
import { visitRoot } from './visit-root.ts'
import { Workbench } from './workbench.ts'

export interface CarerOptions {
  /** One carer at a time. */
  readonly memory: CareMemory
  /** What to look after now: asked again and again. */
  readonly roots: () => Promise<readonly CareRoot[]>
  readonly onEvent?: ((event: CareEvent) => void) | undefined
  /** Brings slots whose newest state is on too few nodes to more of them. */
  readonly topUp?: ((signal: AbortSignal) => Promise<void>) | undefined
  /** What repairs and moves may send and fetch in a day; 2 GiB by default. */
  readonly budgetBytes?: number | undefined
  readonly intervals?: Partial<CareIntervals> | undefined
}

/**
 * Looks after what is stored, for as long as it runs: measures which nodes are there, has them prove what they hold,
 * renews leases, brings back what is missing, moves shares to new nodes, and tries now and then whether all of it can be
 * had. Whatever it does can be cut short at any moment and done twice, also by several carers at once.
 */
export interface Carer {
  /** Until the signal fires; then it rejects with the signal's reason. */
  run(signal: AbortSignal): Promise<never>
  /** Does what is due and ends. Two visits to a root at most. */
  once(signal: AbortSignal): Promise<void>
}

/** 2 GiB: some hours of a friend's uplink. */
const DEFAULT_BUDGET_BYTES = 2 * 2 ** 30

export function openCarer(context: GridContext, options: CarerOptions): Carer {
  return {
    run: async (signal) => {
      await work(context, options, { isOnce: false, signal })
      throw signal.reason
    },
    once: async (signal) => {
      await work(context, options, { isOnce: true, signal })
    },
  }
}

async function work(
  context: GridContext,
  options: CarerOptions,
  { isOnce, signal }: { isOnce: boolean; signal: AbortSignal },
): Promise<void> {
  const { memory, budgetBytes = DEFAULT_BUDGET_BYTES, onEvent } = options
  const { clock } = context
  const budget = new TrafficBudget({
    perDayBytes: budgetBytes,
    state: await memory.budget(),
    clock,
    save: memory.saveBudget.bind(memory),
  })
  const bench = new Workbench({
    context,
    memory,
    budget,
    book: await NodeBook.open(memory, clock),
    intervals: { ...CARE_INTERVALS, ...options.intervals },
    tell: (event) => onEvent?.(event),
  })
  try {
    await new Caring(bench, options, { isOnce, signal }).run()
  } finally {
    await budget.close()
  }
}

/** Something to do, and from when on. */
interface Chore {
  readonly what: string
  readonly dueMs: number
  readonly work: (signal: AbortSignal) => Promise<void>
}

class Caring {
  readonly #bench: Workbench
  readonly #options: CarerOptions
  readonly #isOnce: boolean
  readonly #signal: AbortSignal
  /** Between 0 and 1: carers that began together do not go on together. */
  readonly #jitter: number
  /** Until when what failed is left alone. */
  readonly #notBeforeMs = new Map<string, number>()
  readonly #visits = new Map<string, number>()
  #records = new Map<string, RootRecord>()
  #probedMs = 0
  #auditedMs = 0

  constructor(
    bench: Workbench,
    options: CarerOptions,
    { isOnce, signal }: { isOnce: boolean; signal: AbortSignal },
  ) {
    this.#bench = bench
    this.#options = options
    this.#isOnce = isOnce
    this.#signal = signal
    this.#jitter = randomBelow(bench.context.randomness, 1000) / 1000
  }

  async run(): Promise<void> {
    const { book, context, intervals } = this.#bench
    const { clock } = context
    this.#auditedMs = Math.max(0, ...book.histories.map(({ auditedMs }) => auditedMs))
    this.#bench.useBook()
    for (;;) {
      this.#signal.throwIfAborted()
      const roots = await this.#options.roots()
      await this.#load(roots)
      const chores = this.#chores(roots)
      const nowMs = clock.nowMs()
      const due = chores.find(({ dueMs }) => dueMs <= nowMs)
      if (due !== undefined) await this.#do(due)
      else if (this.#isOnce) return
      else {
        // Looks up now and then, for there may be roots to look after that were not there before.
        const waitMs = Math.min(...chores.map(({ dueMs }) => dueMs - nowMs), intervals.probeMs)
        await sleep(clock, Math.max(MIN_WAIT_MS, waitMs), this.#signal)
      }
    }
  }

  async #load(roots: readonly CareRoot[]): Promise<void> {
    const { memory, context } = this.#bench
    const before = this.#records
    this.#records = new Map()
    for (const root of roots) {
      const id = rootIdOf(root)
      // Each time: somebody may have tried a drill by hand.
      const record = (await memory.root(id)) ?? before.get(id)
      this.#records.set(id, record ?? { ...NEW_ROOT, addedMs: context.clock.nowMs() })
    }
    const hasFewer = [...before.keys()].some((id) => !this.#records.has(id))
    if (hasFewer || before.size === 0) await memory.keepRoots(new Set(this.#records.keys()))
  }

  /** The first that is due is done first: what others wait for stands before them. */
  #chores(roots: readonly CareRoot[]): Chore[] {
    const { auditMs, probeMs } = this.#bench.intervals
    const sooner = 1 - this.#jitter / 5
    const chores: readonly Chore[] = [
      { what: 'probe', dueMs: this.#probedMs + probeMs * sooner, work: this.#probe },
      ...roots.map((root) => this.#visitOf(root)),
      {
        what: 'audit',
        dueMs: this.#auditedMs + auditMs * sooner,
        work: async (signal) => {
          await this.#audit(roots, signal)
        },
      },
      ...roots.map((root) => this.#drillOf(root)),
    ]
    return chores.map(({ what, dueMs, work: doWork }) => {
      return { what, dueMs: Math.max(dueMs, this.#notBeforeMs.get(what) ?? 0), work: doWork }
    })
  }

  #visitOf(root: CareRoot): Chore {
    const { book, budget, context, intervals } = this.#bench
    const id = rootIdOf(root)
    const record = this.#records.get(id) ?? NEW_ROOT
    const standing = book.standing(context.view)
    const visits = this.#visits.get(id) ?? 0
    // A run from cron has come to see whether there is any news.
    const isNews = this.#isOnce && record.standing.join() !== standing.join()
    const neededBytes = Math.min(record.deferredBytes, budget.perDayBytes / 2)
    const dueMs = visitDueMs(record, {
      intervals,
      standing,
      nowMs: context.clock.nowMs(),
      jitter: this.#jitter,
      budgetReadyMs: budget.readyMs(neededBytes),
    })
    return {
      what: `visit ${id}`,
      dueMs: this.#isOnce && visits >= MOST_VISITS ? Infinity : isNews ? 0 : dueMs,
      work: async (signal) => {
        this.#visits.set(id, visits + 1)
        const visited = await visitRoot(this.#bench, root, { record, standing, signal })
        this.#records.set(id, visited)
        // Now there is something to audit.
        if (record.visitedMs === 0) this.#auditedMs = 0
      },
    }
  }

  #drillOf(root: CareRoot): Chore {
    const id = rootIdOf(root)
    const record = this.#records.get(id) ?? NEW_ROOT
    return {
      what: `drill ${id}`,
      dueMs: drillDueMs(record, this.#bench.intervals, this.#jitter),
      work: async (signal) => {
        this.#records.set(id, await drillRoot(this.#bench, root, { record, signal }))
      },
    }
  }

  /** What the world breaks is told and tried again later; our own bugs must come out. */
  async #do({ what, work: doWork }: Chore): Promise<void> {
    // Each asks many nodes at once: more listeners than the caller's own signal is meant for.
    using linked = linkSignals(this.#signal)
    try {
      await doWork(linked.signal)
      this.#notBeforeMs.delete(what)
    } catch (error) {
      this.#signal.throwIfAborted()
      const code = error instanceof HayloftError ? error.code : systemCodeOf(error)
      if (code === undefined) throw error
      const waitMs = this.#isOnce ? Infinity : RETRY_MS * (1 + this.#jitter)
      this.#notBeforeMs.set(what, this.#bench.context.clock.nowMs() + waitMs)
      const [kind = what] = what.split(' ')
      this.#bench.tell({ kind: 'failed', what: kind, code, message: messageOf(error) })
    }
  }

  readonly #probe = async (signal: AbortSignal): Promise<void> => {
    const { book, context, tell } = this.#bench
    const { nodes } = context.view
    this.#probedMs = this.#isOnce ? Infinity : context.clock.nowMs()
    const wasGone = new Set(nodes.filter(({ key }) => book.isGone(key)))
    const there = await book.probe(context, signal)
    tell({ kind: 'probed', there, nodes: nodes.length })
    for (const node of nodes) {
      const isGone = book.isGone(node.key)
      if (isGone !== wasGone.has(node)) tell({ kind: isGone ? 'gone' : 'back', node: node.key })
    }
    await this.#options.topUp?.(signal)
  }

  async #audit(roots: readonly CareRoot[], signal: AbortSignal): Promise<void> {
    const { memory, context } = this.#bench
    this.#auditedMs = this.#isOnce ? Infinity : context.clock.nowMs()
    const ofRoots = await Promise.all(
      roots.map(async (root) => await memory.samples(rootIdOf(root))),
    )
    await auditNodes(this.#bench, ofRoots, signal)
  }
}

const MIN_WAIT_MS = 1_000
const RETRY_MS = 3_600_000
/** Of one run that does what is due: once, and again if audits have shown that somebody lies. */
const MOST_VISITS = 2
