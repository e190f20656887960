import { signingAsGrid } from '../../capabilities/grid-keys.ts'
import { systemClock } from '../../foundation/system.ts'
import type { Member } from '../../protocol/membership/state.ts'
import { signMember } from '../../protocol/membership/sign.ts'
import { nextOf } from '../../protocol/membership/succeed.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { quoted } from '../grid/member-report.ts'
import { requireGridKey, requireOwn, withMembers, type OwnMembership } from '../grid/own.ts'
import { memberCalled } from '../grid/who.ts'
import { count, type Terminal } from '../terminal.ts'

/** Takes someone out of the grid: their devices get no further anywhere that hears of it. */
export async function gridRemove(
  { name }: { readonly name: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const gridKey = await requireGridKey(files, { ...own.secrets, membership: own.membership })
  let removed: Member | undefined
  const reached = await withMembers(own, context, ({ members }) => {
    removed = memberCalled(name, members)
    refuseSelf(removed, own)
    // Said again, it settles that another admin changed them without knowing of it.
    if (removed.status === 'removed' && removed.overruled === undefined) return []
    const said = nextOf(removed, { status: 'removed' }, systemClock.nowMs())
    return [signMember(said, signingAsGrid(gridKey)).bytes]
  })
  if (removed === undefined) return EXIT.ok
  if (terminal.json) {
    terminal.value({ account: removed.account, name: removed.name, told: reached })
    return EXIT.ok
  }
  tell(removed, reached, terminal)
  return EXIT.ok
}

function tell({ name, role, status }: Member, reached: number, terminal: Terminal): void {
  if (status === 'removed') {
    terminal.line(`${name} was removed before.`)
    return
  }
  terminal.line(
    reached === 0
      ? `Removed ${name}. No other member can be reached now: they hear of it from your next command, or from your node.`
      : `Removed ${name}, and told ${count(reached, 'member')}, who pass it on. Whoever hears of it cuts their devices off.`,
  )
  terminal.note(
    'What they stored expires with its leases; what their nodes kept is made anew by "hayloft repair". ' +
      `"hayloft grid readmit ${quoted(name)}" takes them back in.`,
  )
  if (role === 'admin') {
    terminal.note(
      `${name} was an admin and still knows the key of the grid: with it they could let themselves in again. If you do not ` +
        'trust them with that, make a new grid, and invite the others to it.',
    )
  }
}

function refuseSelf({ account }: Member, own: OwnMembership): void {
  if (account !== own.account) return
  throw new CliError({
    exit: EXIT.usage,
    code: 'cannot-remove-self',
    message:
      'That is you. To leave the grid in good order, so that what your node keeps moves first: "hayloft grid leave".',
  })
}
