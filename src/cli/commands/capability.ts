import type { Capability } from '../../capabilities/capability.ts'
import { describe } from '../../capabilities/describe.ts'
import { slotKeyOf } from '../../capabilities/slot-keys.ts'
import { formatCapability } from '../../capabilities/text.ts'
import { blockIdHex } from '../../protocol/block-id.ts'
import { slotKeyHex } from '../../protocol/slot-key.ts'
import type { Power } from '../../folders/service/view.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { capabilityAt, weakened } from '../folders/place-capability.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import type { Terminal } from '../terminal.ts'

/**
 * Explains a capability, or prints it or a weaker one. Of a capability itself, or an alias, no node is asked: all follows
 * from it alone. For a path in a folder, that folder is looked at.
 */
export async function capability(
  request: { readonly place: string; readonly to?: Power | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal } = context
  const home = openOwnHome(context.files)
  const place = await placeArgument(request.place, home.findAlias)
  if (place.path.length === 0) {
    if (request.to === undefined) explain(place.capability, terminal)
    else printCapability(weakened(place.capability, request.to), terminal)
    return EXIT.ok
  }
  await using client = await openFolderClient(context, home)
  const found = await capabilityAt(place, request.to, { ...context, client })
  if (request.to === undefined) explain(found, terminal)
  else printCapability(found, terminal)
  if (found.kind === 'snapshot-read' && request.to === 'read') {
    terminal.note(
      `That is ${place.label} as it is now; it will not follow changes. To share it as it changes: hayloft promote ${place.label}`,
    )
  }
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

function printCapability(weaker: Capability, terminal: Terminal): void {
  const text = formatCapability(weaker)
  if (terminal.json) terminal.value({ kind: weaker.kind, capability: text })
  else terminal.line(text)
}
