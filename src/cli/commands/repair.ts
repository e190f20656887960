import { isTree, type TreeRepairReport } from '../../grid/maintenance/tree.ts'
import type { RepairReport } from '../../grid/repair.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { isHeldByCapability, verifiableAt } from '../folders/place-capability.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { withProgress } from '../progress.ts'
import { count, type Terminal } from '../terminal.ts'
import { describeTree, exitOf, tellTree, type NameOf } from '../tree-report.ts'

const NOTHING_TO_REPAIR: RepairReport = {
  blocks: 0,
  blocksRepaired: 0,
  sharesPlaced: 0,
  sharesMissing: 0,
  healthy: true,
}

/**
 * Makes missing shares anew and places them, of a file or of all that a folder leads to, with the copies of slots. The
 * power to verify is enough.
 */
export async function repair(
  request: { readonly place: string; readonly verify: 'audit' | 'full' },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const { verify } = request
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  if (isHeldByCapability(place)) return reportRepaired(NOTHING_TO_REPAIR, terminal)
  await using client = await openFolderClient(context, home)
  const capability = await verifiableAt(place, { ...context, client })
  if (isTree(capability)) {
    const repaired = await withProgress(terminal, 'Repairing', (onProgress) =>
      client.grid.repair(capability, { verify, signal, onProgress }),
    )
    return reportTree(repaired, terminal, client.nameOf.bind(client))
  }
  const repaired = await withProgress(terminal, 'Repairing', (onProgress) =>
    client.grid.repair(capability, { verify, signal, onProgress }),
  )
  return reportRepaired(repaired, terminal)
}

function reportRepaired(repaired: RepairReport, terminal: Terminal): ExitCode {
  const { blocks, blocksRepaired, sharesPlaced, sharesMissing, healthy } = repaired
  if (terminal.json) {
    terminal.value({ healthy, blocks, blocksRepaired, sharesPlaced, sharesMissing })
  } else if (sharesPlaced === 0 && healthy) {
    terminal.line('Healthy: there was nothing to repair.')
  } else {
    terminal.line(
      `Placed ${count(sharesPlaced, 'share')} of ${count(blocksRepaired, 'block')}, out of ${blocks.toLocaleString('en-US')}.`,
    )
    if (!healthy) {
      terminal.line(
        `${count(sharesMissing, 'share')} found no node. Start more nodes, then repair again.`,
      )
    }
  }
  return healthy ? EXIT.ok : EXIT.degraded
}

function reportTree(repaired: TreeRepairReport, terminal: Terminal, nameOf: NameOf): ExitCode {
  const { blocksRepaired, sharesPlaced, slotsRepaired, copiesPlaced } = repaired
  if (terminal.json) {
    const placed = { blocksRepaired, sharesPlaced, slotsRepaired, copiesPlaced }
    terminal.value({ ...describeTree(repaired, nameOf), ...placed })
    return exitOf(repaired)
  }
  if (sharesPlaced + copiesPlaced > 0) {
    terminal.line(
      `Placed ${count(sharesPlaced, 'share')} of ${count(blocksRepaired, 'block')} and ` +
        `${count(copiesPlaced, 'copy', 'copies')} of ${count(slotsRepaired, 'slot')}.`,
    )
  }
  tellTree(repaired, terminal, nameOf)
  return exitOf(repaired)
}
