import type { Op } from '../src/protocol/messages.ts'
import type { NodeKey } from '../src/protocol/node-key.ts'

/** Counts of calls and bytes, as budgets are stated: by operation and by node. Bytes are whole frames. */
export class TrafficMeter {
  readonly #calls = new Map<string, CallCounts>()

  countRequest(node: NodeKey, op: Op, bytes: number): void {
    const counts = this.#of(node, op)
    counts.calls++
    counts.requestBytes += bytes
  }

  countReply(node: NodeKey, op: Op, bytes: number): void {
    const counts = this.#of(node, op)
    counts.replies++
    counts.replyBytes += bytes
  }

  /** Calls made, of one operation or of all, to one node or to all. */
  calls(op?: Op, node?: NodeKey): number {
    return this.#sum('calls', op, node)
  }

  requestBytes(op?: Op, node?: NodeKey): number {
    return this.#sum('requestBytes', op, node)
  }

  replyBytes(op?: Op, node?: NodeKey): number {
    return this.#sum('replyBytes', op, node)
  }

  /** Calls by operation, those that were not made left out: what a budget is compared with. */
  byOp(): Partial<Record<Op, number>> {
    const totals: Partial<Record<Op, number>> = {}
    for (const { op, calls } of this.#calls.values()) {
      if (calls > 0) totals[op] = (totals[op] ?? 0) + calls
    }
    return totals
  }

  /** The nodes that were called, with `op` if given. */
  nodes(op?: Op): Set<NodeKey> {
    const called = [...this.#calls.values()].filter(
      (counts) => counts.calls > 0 && (op === undefined || counts.op === op),
    )
    return new Set(called.map(({ node }) => node))
  }

  snapshot(): TrafficMeter {
    return this.since(new TrafficMeter())
  }

  /** What was counted after `earlier`, a snapshot of this meter. */
  since(earlier: TrafficMeter): TrafficMeter {
    const difference = new TrafficMeter()
    for (const [name, counts] of this.#calls) {
      const before = earlier.#calls.get(name)
      difference.#calls.set(name, {
        ...counts,
        calls: counts.calls - (before?.calls ?? 0),
        replies: counts.replies - (before?.replies ?? 0),
        requestBytes: counts.requestBytes - (before?.requestBytes ?? 0),
        replyBytes: counts.replyBytes - (before?.replyBytes ?? 0),
      })
    }
    return difference
  }

  #of(node: NodeKey, op: Op): CallCounts {
    const name = `${op} ${node}`
    let counts = this.#calls.get(name)
    if (counts === undefined) {
      counts = { op, node, calls: 0, replies: 0, requestBytes: 0, replyBytes: 0 }
      this.#calls.set(name, counts)
    }
    return counts
  }

  #sum(field: 'calls' | 'requestBytes' | 'replyBytes', op?: Op, node?: NodeKey): number {
    let sum = 0
    for (const counts of this.#calls.values()) {
      if (op !== undefined && counts.op !== op) continue
      if (node !== undefined && counts.node !== node) continue
      sum += counts[field]
    }
    return sum
  }
}

interface CallCounts {
  readonly op: Op
  readonly node: NodeKey
  calls: number
  replies: number
  requestBytes: number
  replyBytes: number
}
