import type { RepairReport } from '../../grid/repair.ts'
import { fileArgument, isStored } from '../arguments.ts'
import { openOwnClient } from '../own-home.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { withProgress } from '../progress.ts'
import { count, type Terminal } from '../terminal.ts'

const NOTHING_TO_REPAIR: RepairReport = {
  blocks: 0,
  blocksRepaired: 0,
  sharesPlaced: 0,
  sharesMissing: 0,
  healthy: true,
}

/** Makes a file's missing shares anew and places them. The power to verify it is enough. */
export async function repair(
  request: { readonly capability: string; readonly verify: 'audit' | 'full' },
  context: { files: HomeFiles; terminal: Terminal; signal: AbortSignal },
): Promise<ExitCode> {
  const { files, terminal, signal } = context
  const capability = await fileArgument(request.capability)
  if (!isStored(capability)) return reportRepaired(NOTHING_TO_REPAIR, terminal)
  await using client = await openOwnClient(files, signal)
  const repaired = await withProgress(terminal, 'Repairing', (onProgress) =>
    client.grid.repair(capability, { verify: request.verify, signal, onProgress }),
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
