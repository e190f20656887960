import type { FileReadCapability, FileVerifyCapability } from '../../capabilities/capability.ts'
import type { CheckReport } from '../../grid/check.ts'
import { isTree, type TreeCapability } from '../../grid/maintenance/tree.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import {
  openFolderClient,
  type ClientTools,
  type CommandContext,
} from '../folders/folder-client.ts'
import { isHeldByCapability, verifiableAt } from '../folders/place-capability.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { withProgress } from '../progress.ts'
import { count, type Terminal } from '../terminal.ts'
import {
  describeRecoverable,
  describeTree,
  exitOf,
  stateOf,
  tellSilent,
  tellTree,
  type NameOf,
} from '../tree-report.ts'

/** How closely shares are looked at: not at all, by samples, or every byte. */
export type Verification = 'none' | 'audit' | 'full'

/** Finds out where a file is, or all that a folder leads to. The status tells: healthy, degraded or lost. */
export async function check(
  request: { readonly place: string; readonly verify: Verification },
  context: CommandContext,
): Promise<ExitCode> {
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  if (isHeldByCapability(place)) return reportLiteral(context.terminal)
  await using client = await openFolderClient(context, home)
  const capability = await verifiableAt(place, { ...context, client })
  return isTree(capability)
    ? await checkWhole(capability, request.verify, { ...context, client })
    : await checkStored(capability, request.verify, { ...context, client })
}

async function checkWhole(
  capability: TreeCapability,
  verify: Verification,
  { client, terminal, signal }: ClientTools,
): Promise<ExitCode> {
  const report = await withProgress(terminal, 'Checking', (onProgress) =>
    client.grid.check(capability, { verify, signal, onProgress }),
  )
  const nameOf = client.nameOf.bind(client)
  if (terminal.json) terminal.value(describeTree(report, nameOf))
  else {
    tellTree(report, terminal, nameOf)
    terminal.line(`To find out, ${WHAT_WAS_CHECKED[verify]}.`)
    if (report.recoverable === true && !report.healthy) terminal.line(REPAIR_HINT)
  }
  return exitOf(report)
}

async function checkStored(
  capability: FileReadCapability | FileVerifyCapability,
  verify: Verification,
  { client, terminal, signal }: ClientTools,
): Promise<ExitCode> {
  const checked = await withProgress(terminal, 'Checking', (onProgress) =>
    client.grid.check(capability, { verify, signal, onProgress }),
  )
  const nameOf = client.nameOf.bind(client)
  if (terminal.json) terminal.value(describeChecked(checked, nameOf))
  else reportChecked(checked, { verify, terminal, nameOf })
  return exitOf(checked)
}

function describeChecked(checked: CheckReport, nameOf: NameOf): object {
  return {
    ...describeRecoverable(checked),
    healthy: checked.healthy,
    sharesRequired: checked.sharesRequired,
    sharesTotal: checked.sharesTotal,
    blocks: checked.blocks.map(({ id, sharesFound, sharesGood, sharesSpread, holders }) => ({
      id,
      sharesFound,
      sharesGood,
      sharesSpread,
      holders: holders
        .toSorted((a, b) => a.index - b.index)
        .map(({ index, node }) => ({ share: index, node: nameOf(node) })),
    })),
    nodesAnswered: checked.nodesAnswered.map(nameOf),
    nodesSilent: checked.nodesSilent.map(nameOf),
  }
}

function reportChecked(
  checked: CheckReport,
  { verify, terminal, nameOf }: { verify: Verification; terminal: Terminal; nameOf: NameOf },
): void {
  const { sharesRequired, sharesTotal, blocks } = checked
  // One by one: a large file has more blocks than a call may have arguments.
  let [good, spread] = [sharesTotal, sharesTotal]
  for (const { sharesGood, sharesSpread } of blocks) {
    good = Math.min(good, sharesGood)
    spread = Math.min(spread, sharesSpread)
  }
  const crowded = spread < good ? `, ${spread} of them on a node of its own` : ''
  terminal.line(
    `${stateOf(checked)}: of ${sharesTotal} shares, the worst-off block has ${good}${crowded}; any ${sharesRequired} bring it back.`,
  )
  terminal.line(`${count(blocks.length, 'block')}; ${WHAT_WAS_CHECKED[verify]}.`)
  tellSilent(checked, terminal, nameOf)
  if (checked.recoverable === true && !checked.healthy) terminal.line(REPAIR_HINT)
}

const REPAIR_HINT =
  '"hayloft repair" brings back what is missing, and spreads it, as far as there are nodes for it.'

const WHAT_WAS_CHECKED: Readonly<Record<Verification, string>> = {
  none: 'nodes were asked what they hold (--verify looks at the shares themselves)',
  audit: 'nodes proved random parts of each share',
  full: 'every byte of every share was read and checked',
}

function reportLiteral(terminal: Terminal): ExitCode {
  if (terminal.json) {
    terminal.value({
      recoverable: true,
      healthy: true,
      sharesRequired: 0,
      sharesTotal: 0,
      blocks: [],
      nodesAnswered: [],
      nodesSilent: [],
    })
  } else {
    terminal.line('Healthy: the capability itself holds this file, so no node has to.')
  }
  return EXIT.ok
}
