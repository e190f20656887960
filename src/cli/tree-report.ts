import type { TreeReport } from '../grid/maintenance/report.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { count, formatBytes, type Terminal } from './terminal.ts'

/** What people call a node. */
export type NameOf = (node: NodeKey) => string

/** What is printed with `--json` of a whole tree. */
export function describeTree(report: TreeReport, nameOf: NameOf): object {
  return {
    ...describeRecoverable(report),
    healthy: report.healthy,
    blocks: report.blocks,
    slots: report.slots,
    sharesMissing: report.sharesMissing,
    copiesMissing: report.copiesMissing,
    bytes: report.bytes,
    broken: report.broken,
    pastGone: report.pastGone,
    nodesAnswered: report.nodesAnswered.map(nameOf),
    nodesSilent: report.nodesSilent.map(nameOf),
  }
}

/** For programs `recoverable` is true or false; that it is not known is said beside it. */
export function describeRecoverable({
  recoverable,
}: Pick<TreeReport, 'recoverable'>): Record<string, boolean> {
  if (recoverable === 'unknown') return { recoverable: false, unknown: true }
  return { recoverable }
}

/** The same for people. */
export function tellTree(report: TreeReport, terminal: Terminal, nameOf: NameOf): void {
  const { blocks, slots, bytes, broken, pastGone } = report
  const size = `${count(blocks.total, 'block')} of ${formatBytes(bytes)} and ${count(slots.total, 'slot')}`
  terminal.line(
    report.healthy
      ? `Healthy: ${size}, with all their shares and copies.`
      : `${stateOf(report)}: ${size}.`,
  )
  const { sharesMissing, copiesMissing } = report
  if (sharesMissing > 0) {
    terminal.line(
      `${count(blocks.degraded, 'block')} can be read but have too few shares on nodes of their own: ${count(sharesMissing, 'share')} too few.`,
    )
  }
  if (copiesMissing > 0) {
    terminal.line(
      `Nodes lack ${count(copiesMissing, 'copy', 'copies')} of the newest state of slots.`,
    )
  }
  const lost = blocks.lost + slots.lost
  if (lost > 0) terminal.line(`${count(lost, 'part')} cannot be read, nor what lies below.`)
  if (broken > 0)
    terminal.line(`${count(broken, 'part')} made by a writer that was broken or meant harm.`)
  if (pastGone > 0) {
    terminal.line(
      `${count(pastGone, 'part')} of the past are not there; nothing tells whether they were given up or lost.`,
    )
  }
  tellSilent(report, terminal, nameOf)
}

/** Who did not answer, and what that leaves open. */
export function tellSilent(
  { recoverable, nodesSilent }: Pick<TreeReport, 'recoverable' | 'nodesSilent'>,
  terminal: Terminal,
  nameOf: NameOf,
): void {
  if (nodesSilent.length > 0) terminal.line(`No answer from ${nodesSilent.map(nameOf).join(', ')}.`)
  if (recoverable === 'unknown') {
    terminal.line(
      'Too little was found, but what is missing may be there: try again when more nodes answer.',
    )
  }
}

export function stateOf({
  recoverable,
  healthy,
}: Pick<TreeReport, 'recoverable' | 'healthy'>): string {
  if (recoverable === false) return 'Lost for now'
  if (recoverable === 'unknown') return 'Not certain'
  return healthy ? 'Healthy' : 'Degraded'
}

/** Only what is certainly lost is called so. */
export function exitOf({
  recoverable,
  healthy,
}: Pick<TreeReport, 'recoverable' | 'healthy'>): ExitCode {
  if (recoverable === false) return EXIT.lost
  return healthy ? EXIT.ok : EXIT.degraded
}
