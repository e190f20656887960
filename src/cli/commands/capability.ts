import { toVerify, type Capability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { blockIdHex } from '../../protocol/block-id.ts'
import { capabilityArgument } from '../arguments.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { Terminal } from '../terminal.ts'

/** Explains a capability, or weakens it. Asks no node: all of it follows from the capability alone. */
export async function capability(
  request: { readonly capability: string; readonly to?: 'verify' | undefined },
  { terminal }: { readonly terminal: Terminal },
): Promise<ExitCode> {
  const given = await capabilityArgument(request.capability)
  if (request.to === undefined) explain(given, terminal)
  else weaken(given, terminal)
  return EXIT.ok
}

function explain(given: Capability, terminal: Terminal): void {
  const { kind, title, grants, withholds } = describe(given)
  if (terminal.json) {
    const size =
      given.kind === 'literal' ? { size: given.bytes.length } : { id: blockIdHex(given.id) }
    terminal.value({ kind, title, grants, withholds, ...size })
    return
  }
  terminal.line(`${title[0]?.toUpperCase() ?? ''}${title.slice(1)}.`)
  terminal.line('\nWhoever has this capability can')
  for (const each of grants) terminal.line(`  - ${each}`)
  terminal.line('\nIt does not let them')
  for (const each of withholds) terminal.line(`  - ${each}`)
}

function weaken(given: Capability, terminal: Terminal): void {
  const weaker = formatCapability(verifyOnly(given))
  if (terminal.json) terminal.value({ kind: 'file-verify', capability: weaker })
  else terminal.line(weaker)
}

function verifyOnly(given: Capability): Capability {
  switch (given.kind) {
    case 'file-read':
      return toVerify(given)
    case 'file-verify':
      return given
    case 'literal':
      throw new CliError({
        exit: EXIT.usage,
        code: 'capability-not-weaker',
        message:
          'This capability holds the file itself, and no node stores it: there is nothing to verify.',
      })
  }
}
