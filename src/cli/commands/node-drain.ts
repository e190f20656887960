import { systemClock } from '../../foundation/system.ts'
import { readOwnGrid } from '../../home/own-grid.ts'
import type { DrainReport } from '../../storage-node/drain/report.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { nodeLabel } from '../../library/node-names.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { accountLabels, type NameOfAccount } from '../node/account-names.ts'
import { drainNode, setDraining } from '../node/drain-node.ts'
import { describeDrain, formerMembersLine, leftLines } from '../node/drain-text.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import { count, formatBytes, printableName, type Terminal } from '../terminal.ts'

/** Has the node give away all that it keeps, or with `stop` take things again. Status 1 if something is left. */
export async function nodeDrain(
  request: { readonly stop?: true },
  context: NodeCommandContext,
): Promise<ExitCode> {
  const { files, terminal, signal } = context
  if (request.stop === true) {
    await setDraining(files, false, signal)
    if (terminal.json) terminal.value({ draining: false })
    else terminal.line('The node keeps what it has and takes new things again.')
    return EXIT.ok
  }
  const report = await drainNode(context)
  const membership = (await readOwnGrid(files, systemClock))?.membership
  if (terminal.json) {
    terminal.value(describeDrain(report, membership))
  } else {
    tell(terminal, report, {
      nameOf: (node) => nodeLabel(membership, node),
      nameOfAccount: accountLabels(membership),
    })
  }
  return report.left.shares + report.left.records === 0 ? EXIT.ok : EXIT.degraded
}

function tell(
  terminal: Terminal,
  report: DrainReport,
  {
    nameOf,
    nameOfAccount,
  }: { readonly nameOf: (node: NodeKey) => string; readonly nameOfAccount: NameOfAccount },
): void {
  const { moved, left, unleased, lost, crowded, leasesLost, takers } = report
  const items = `${count(moved.shares, 'share')} and ${count(moved.records, 'record')}`
  terminal.line(`Moved ${formatBytes(moved.bytes)}: ${items}.`)
  for (const { node, bytes } of takers) {
    terminal.line(`  ${formatBytes(bytes).padStart(10)}  to ${printableName(nameOf(node))}`)
  }
  if (crowded > 0) {
    terminal.line(
      `${count(crowded, 'share')} went where another of the same block is: there are too few nodes.`,
    )
  }
  if (leasesLost > 0) {
    terminal.line(
      `${count(leasesLost, 'lease')} did not come along: their accounts are no members, or beyond their quotas there.`,
    )
  }
  if (lost > 0)
    terminal.line(`${count(lost, 'share')} had rotted; the grid's repair makes them anew.`)
  if (unleased.bytes > 0) {
    terminal.line(
      `${formatBytes(unleased.bytes)} are leased by nobody any more, and will be freed.`,
    )
  }
  for (const line of formerMembersLine(report)) terminal.line(line)
  if (left.shares + left.records === 0) {
    terminal.line('Nothing that a member leases is left here: the node may go.')
    return
  }
  for (const line of leftLines(report, nameOfAccount)) terminal.line(line)
  terminal.line(
    'The node goes on trying while it runs. If it goes before all is moved, that is lost with it.',
  )
}
