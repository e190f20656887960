import { drawSamples } from './audit.ts'
import { distinctIds, drillBlocks } from './drill.ts'
import type { DrillReport } from './events.ts'
import type { RootRecord } from './memory.ts'
import { rootIdOf, type CareRoot } from './roots.ts'
import type { Workbench } from './workbench.ts'

/**
 * Tries whether some of what a root leads to can be had for real: files, for who may read, or else blocks.
 * @returns what is written down
 */
export async function drillRoot(
  bench: Workbench,
  root: CareRoot,
  { record, signal }: { record: RootRecord; signal: AbortSignal },
): Promise<RootRecord> {
  const { what, tried, whole, bytes } =
    (await root.drill?.(signal)) ?? (await drillSamples(bench, rootIdOf(root), signal))
  const nowMs = bench.context.clock.nowMs()
  const isWhole = tried > 0 && whole === tried
  const drilled = { ...record, drilledMs: nowMs, ...(isWhole && { verifiedMs: nowMs }) }
  await bench.memory.saveRoot(rootIdOf(root), drilled)
  if (tried > 0) bench.tell({ kind: 'drilled', root: root.name, what, tried, whole, bytes })
  return drilled
}

async function drillSamples(
  bench: Workbench,
  id: string,
  signal: AbortSignal,
): Promise<DrillReport> {
  const { context, memory } = bench
  const drawn = drawSamples(context, await memory.samples(id), DRILL_SAMPLES)
  const ids = distinctIds(drawn.map((sample) => sample.id)).slice(0, DRILL_BLOCKS)
  const { good, bad, ...report } = await drillBlocks(context, ids, signal)
  const nodes = new Set([...good.keys(), ...bad.keys()])
  const outcomes = [...nodes].map((node) => {
    return [node, { good: good.get(node) ?? 0, bad: bad.get(node) ?? 0 }] as const
  })
  await bench.learn(new Map(outcomes))
  return report
}

/** With all shares of each: some 25 MiB. */
const DRILL_BLOCKS = 8
/** Shares of the same block come up more than once. */
const DRILL_SAMPLES = 4 * DRILL_BLOCKS
