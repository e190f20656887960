import type { FileReadCapability, FileVerifyCapability } from '../../capabilities/capability.ts'
import type { CheckReport } from '../../grid/check.ts'
import { fileArgument, isStored } from '../arguments.ts'
import { openOwnClient } from '../own-home.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { withProgress } from '../progress.ts'
import { count, type Terminal } from '../terminal.ts'

/** How closely shares are looked at: not at all, by samples, or every byte. */
export type Verification = 'none' | 'audit' | 'full'

interface Context {
  readonly files: HomeFiles
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Finds out which shares of a file are where. The status tells: healthy, degraded or lost. */
export async function check(
  request: { readonly capability: string; readonly verify: Verification },
  context: Context,
): Promise<ExitCode> {
  const capability = await fileArgument(request.capability)
  if (!isStored(capability)) return reportLiteral(context.terminal)
  return await checkStored(capability, request.verify, context)
}

async function checkStored(
  capability: FileReadCapability | FileVerifyCapability,
  verify: Verification,
  { files, terminal, signal }: Context,
): Promise<ExitCode> {
  await using client = await openOwnClient(files, signal)
  const checked = await withProgress(terminal, 'Checking', (onProgress) =>
    client.grid.check(capability, { verify, signal, onProgress }),
  )
  const nameOf = client.nameOf.bind(client)
  if (terminal.json) terminal.value(describeChecked(checked, nameOf))
  else reportChecked(checked, { verify, terminal, nameOf })
  if (!checked.recoverable) return EXIT.lost
  return checked.healthy ? EXIT.ok : EXIT.degraded
}

type NameOf = (node: CheckReport['nodesAnswered'][number]) => string

function describeChecked(checked: CheckReport, nameOf: NameOf): object {
  return {
    recoverable: checked.recoverable,
    healthy: checked.healthy,
    sharesRequired: checked.sharesRequired,
    sharesTotal: checked.sharesTotal,
    blocks: checked.blocks.map(({ id, sharesFound, sharesGood, holders }) => ({
      id,
      sharesFound,
      sharesGood,
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
  const good = blocks.map(({ sharesGood }) => sharesGood)
  const worst = good.reduce((least, each) => Math.min(least, each), sharesTotal)
  const state = stateOf(checked)
  terminal.line(
    `${state}: of ${sharesTotal} shares, the worst-off block has ${worst}; any ${sharesRequired} bring it back.`,
  )
  terminal.line(`${count(blocks.length, 'block')}; ${WHAT_WAS_CHECKED[verify]}.`)
  if (checked.nodesSilent.length > 0) {
    terminal.line(`No answer from ${checked.nodesSilent.map(nameOf).join(', ')}.`)
  }
  if (checked.recoverable && !checked.healthy) {
    terminal.line('"hayloft repair" makes the missing shares anew.')
  }
}

function stateOf({ recoverable, healthy }: CheckReport): string {
  if (!recoverable) return 'Lost for now'
  return healthy ? 'Healthy' : 'Degraded'
}

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
