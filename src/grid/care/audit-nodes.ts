import type { NodeKey } from '../../protocol/node-key.ts'
import { auditNode, drawSamples, type Audited } from './audit.ts'
import { isLeaving } from './node-book.ts'
import type { NodeSamples } from './samples.ts'
import { leavesDue } from './schedule.ts'
import type { Workbench } from './workbench.ts'

/** Has every node prove some of what it holds of some roots. */
export async function auditNodes(
  bench: Workbench,
  ofRoots: readonly (readonly NodeSamples[])[],
  signal: AbortSignal,
): Promise<void> {
  const { context, book, intervals } = bench
  const outcomes = new Map<NodeKey, Audited>()
  for (const info of context.view.nodes) {
    const { key } = info
    // Who leaves has given away by now what it had at the last visit, as it should.
    if (book.isDistrusted(key) || isLeaving(info)) continue
    const own = ofRoots.flatMap((samples) => samples.filter(({ node }) => node === key))
    const shares = own.reduce((sum, each) => sum + each.shares, 0)
    const sinceMs = context.clock.nowMs() - (book.of(key)?.auditedMs ?? 0)
    const count = leavesDue({ shares, sinceMs, isDoubted: book.isDoubted(key) }, intervals)
    const samples = drawSamples(context, own, count)
    if (samples.length === 0) continue
    const outcome = await auditNode(context, key, samples, signal)
    if (outcome === undefined) continue
    outcomes.set(key, outcome)
    bench.tell({ kind: 'audited', node: key, ...outcome })
  }
  await bench.learn(outcomes)
}
