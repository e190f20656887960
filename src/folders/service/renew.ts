import { slotKeyOf, slotReadKeyOf } from '../../capabilities/slot-keys.ts'
import type { CheckableCapability } from '../../grid/blocks/walk.ts'
import type { HistoryOptions } from '../../grid/maintenance/frontier.ts'
import type { RenewReport, TreeCapability, TreeOptions } from '../../grid/maintenance/tree.ts'
import type { FolderContext } from './context.ts'
import { PastSurvey } from './past-survey.ts'

/** How leases are renewed. */
export type RenewOptions = Pick<TreeOptions, 'code' | 'signal' | 'onProgress'>

/**
 * Renews this account's leases on everything that a capability leads to, linked folders and files that change
 * included. Of the past of each, what {@link keptCommits} keeps is renewed, with the way that leads there; the leases on
 * the rest lapse. With the power to verify alone nobody knows when a state was: then all of the past that is still
 * there is renewed.
 */
export async function renewKept(
  context: FolderContext,
  capability: TreeCapability | CheckableCapability,
  options: RenewOptions,
): Promise<RenewReport> {
  const history = await keptHistory(context, capability, options.signal)
  return await context.grid.renew(capability, { ...options, ...history })
}

/** Which of the past of a capability is to be kept: see {@link renewKept}. With the power to verify alone, all of it. */
export async function keptHistory(
  context: FolderContext,
  capability: TreeCapability | CheckableCapability,
  signal: AbortSignal | undefined,
): Promise<HistoryOptions> {
  const survey = new PastSurvey(context, signal)
  switch (capability.kind) {
    case 'folder-write':
    case 'mutable-write':
      await survey.addSlot({
        slot: slotKeyOf(capability.writeKey),
        readKey: slotReadKeyOf(capability.writeKey),
      })
      break
    case 'folder-read':
    case 'mutable-read':
      await survey.addSlot(capability)
      break
    case 'snapshot-read':
      await survey.addSnapshot(capability)
      break
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
    case 'file-read':
    case 'file-verify':
      return {}
  }
  return {
    keeps: (state) => !survey.isPassed(state),
    endsAt: (state) => survey.isOver(state),
  }
}
