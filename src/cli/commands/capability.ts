import { toRead, toVerify, type Capability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { slotKeyOf } from '../../capabilities/slot-keys.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { blockIdHex } from '../../protocol/block-id.ts'
import { slotKeyHex } from '../../protocol/slot-key.ts'
import { capabilityArgument } from '../arguments.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { Terminal } from '../terminal.ts'

/** What one may weaken a capability to. */
export type Power = 'read' | 'verify'

/** Explains a capability, or weakens it. Asks no node: all of it follows from the capability alone. */
export async function capability(
  request: { readonly capability: string; readonly to?: Power | undefined },
  { terminal }: { readonly terminal: Terminal },
): Promise<ExitCode> {
  const given = await capabilityArgument(request.capability)
  if (request.to === undefined) explain(given, terminal)
  else printWeaker(weakened(given, request.to), terminal)
  return EXIT.ok
}

function explain(given: Capability, terminal: Terminal): void {
  const { kind, title, grants, withholds } = describe(given)
  if (terminal.json) {
    terminal.value({ kind, title, grants, withholds, ...publicPart(given) })
    return
  }
  terminal.line(`${title[0]?.toUpperCase() ?? ''}${title.slice(1)}.`)
  terminal.line('\nWhoever has this capability can')
  for (const each of grants) terminal.line(`  - ${each}`)
  terminal.line('\nIt does not let them')
  for (const each of withholds) terminal.line(`  - ${each}`)
}

/** What nodes may know of it: where it is. Of a literal no node knows anything. */
function publicPart(given: Capability): object {
  switch (given.kind) {
    case 'literal':
      return { size: given.bytes.length }
    case 'folder-write':
    case 'mutable-write':
      return { slot: slotKeyHex(slotKeyOf(given.writeKey)) }
    case 'folder-read':
    case 'folder-verify':
    case 'mutable-read':
    case 'mutable-verify':
      return { slot: slotKeyHex(given.slot) }
    case 'file-read':
    case 'file-verify':
    case 'snapshot-read':
    case 'snapshot-verify':
      return { id: blockIdHex(given.id) }
  }
}

function printWeaker(weaker: Capability, terminal: Terminal): void {
  const text = formatCapability(weaker)
  if (terminal.json) terminal.value({ kind: weaker.kind, capability: text })
  else terminal.line(text)
}

/** The same capability where it has just that power. @throws CliError where it has less */
function weakened(given: Capability, power: Power): Capability {
  switch (given.kind) {
    case 'folder-write':
    case 'mutable-write':
      return power === 'read' ? toRead(given) : toVerify(given)
    case 'file-read':
    case 'folder-read':
    case 'mutable-read':
    case 'snapshot-read':
      return power === 'read' ? given : toVerify(given)
    case 'file-verify':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
      if (power === 'verify') return given
      throw tooWeak(given)
    case 'literal':
      if (power === 'read') return given
      throw new CliError({
        exit: EXIT.usage,
        code: 'capability-not-weaker',
        message:
          'This capability holds the file itself, and no node stores it: there is nothing to verify.',
      })
  }
}

function tooWeak(given: Capability): CliError {
  return new CliError({
    exit: EXIT.usage,
    code: 'capability-too-weak',
    message:
      `This is the capability of ${describe(given).title}, and what was asked for is one to read. No capability ` +
      'can be made stronger: ask whoever gave it to you for one that reads.',
  })
}
