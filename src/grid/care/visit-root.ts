import { HayloftError } from '../../foundation/error.ts'
import { BlockNames } from './block-names.ts'
import type { RootRecord } from './memory.ts'
import { rootIdOf, type CareRoot } from './roots.ts'
import { isRenewalDue } from './schedule.ts'
import { tendRoot } from './tend.ts'
import type { Workbench } from './workbench.ts'

/**
 * Visits all that a root leads to and writes down how it is.
 * @param standing how the nodes stood when it began
 * @returns what is written down
 * @throws NobodyThereError
 */
export async function visitRoot(
  bench: Workbench,
  root: CareRoot,
  {
    record,
    standing,
    signal,
  }: { record: RootRecord; standing: readonly string[]; signal: AbortSignal },
): Promise<RootRecord> {
  const { context, memory, book, budget, intervals } = bench
  const id = rootIdOf(root)
  const startMs = context.clock.nowMs()
  await memory.saveRoot(id, { ...record, triedMs: startMs })
  const renews = isRenewalDue(record, { intervals, standing, nowMs: startMs })
  const history = (await root.history?.(signal)) ?? {}
  const { report, visited, samples, linkless } = await tendRoot(context, root, {
    book,
    budget,
    history,
    renews,
    linkless: new BlockNames(await memory.linkless(id)),
    signal,
  })
  if (report.nodesAnswered.length === 0) throw new NobodyThereError()
  const isNowhere = report.blocks.total === 0 && report.slots.lost === report.slots.total
  const hasNothing = root.mayBeAbsent === true && isNowhere && record.state === undefined
  await memory.saveSamples(id, samples)
  await memory.saveLinkless(id, linkless.bytes)
  const visitedRecord: RootRecord = {
    ...((await memory.root(id)) ?? record),
    triedMs: startMs,
    visitedMs: context.clock.nowMs(),
    renewedMs: renews ? startMs : record.renewedMs,
    isRenewalDue: renews
      ? report.nodesSilent.some((node) => !book.isGone(node))
      : record.isRenewalDue,
    deferredBytes: visited.deferredBytes,
    standing,
    state: hasNothing ? undefined : visited.state,
  }
  await memory.saveRoot(id, visitedRecord)
  if (!hasNothing) bench.tell({ kind: 'visited', root: root.name, renewed: renews, ...visited })
  return visitedRecord
}

/** Nobody at all answered: more likely our own line than theirs. */
class NobodyThereError extends HayloftError {
  readonly code = 'nobody-there'

  constructor() {
    super('No storage node answers. This is tried again later.')
  }
}
