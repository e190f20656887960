import type { NodeKey } from '../../protocol/node-key.ts'
import type { GridContext } from '../context.ts'
import type { Audited } from './audit.ts'
import type { CareEvent } from './events.ts'
import type { CareMemory } from './memory.ts'
import type { NodeBook } from './node-book.ts'
import type { CareIntervals } from './schedule.ts'
import type { TrafficBudget } from './traffic-budget.ts'

/** What every piece of a carer's work is done with. */
export class Workbench {
  readonly context: GridContext
  readonly memory: CareMemory
  readonly book: NodeBook
  readonly budget: TrafficBudget
  readonly intervals: CareIntervals
  readonly tell: (event: CareEvent) => void

  constructor(
    parts: Pick<Workbench, 'context' | 'memory' | 'book' | 'budget' | 'intervals' | 'tell'>,
  ) {
    this.context = parts.context
    this.memory = parts.memory
    this.book = parts.book
    this.budget = parts.budget
    this.intervals = parts.intervals
    this.tell = parts.tell
  }

  /** Takes note of what nodes have proved and failed to prove. */
  async learn(outcomes: ReadonlyMap<NodeKey, Audited>): Promise<void> {
    if (outcomes.size === 0) return
    const before = this.book.distrusted
    await this.book.addAudits(this.context.view, outcomes)
    const after = this.book.distrusted
    for (const node of after) if (!before.has(node)) this.tell({ kind: 'distrusted', node })
    for (const node of before) if (!after.has(node)) this.tell({ kind: 'trusted', node })
    this.useBook()
  }

  /** From now on nodes of bad reputation are asked last. */
  useBook(): void {
    this.context.monitor.distrust(this.book.distrusted)
  }
}
