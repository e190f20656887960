import { memberAccountOf } from '../../capabilities/grid-keys.ts'
import type { HomeSecrets } from '../../home/key-store.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { describeRecoveryKey, printRecoveryKey } from '../recovery-sheet.ts'
import { localOnlyAdvice } from '../node/local-only.ts'
import type { RootFolderState } from '../root-folder.ts'
import { count } from '../terminal.ts'
import { gridIdText, type JoinWord } from './join-steps.ts'

/** How a home came to belong to a grid. */
export interface Joined {
  readonly word: JoinWord
  readonly membership: Membership
  readonly secrets: HomeSecrets
  readonly nodeIdentity: Uint8Array | undefined
  /** The address of the member that let us in; undefined if we were in already. */
  readonly through: string | undefined
  readonly isNewAccount: boolean
  readonly root: RootFolderState
}

export function describeJoined(joined: Joined, { files }: CommandContext): object {
  const { word, membership, secrets, nodeIdentity, through, isNewAccount } = joined
  const account = memberAccountOf(secrets.account)
  const member = membership.member(account)
  return {
    home: files.home,
    grid: { id: gridIdText(word), name: word.gridName },
    joined: through !== undefined,
    through: through ?? null,
    account,
    name: member?.name ?? null,
    role: member?.role ?? null,
    device: nodeKeyOfIdentity(secrets.identity),
    node: nodeIdentity === undefined ? null : nodeKeyOfIdentity(nodeIdentity),
    members: membership.members.filter(({ status }) => status === 'in').length,
    nodes: membership.nodes.length,
    created: isNewAccount,
    ...(isNewAccount && describeRecoveryKey(secrets.account)),
  }
}

export function tellJoined(
  joined: Joined,
  { terminal, listen }: CommandContext & { readonly listen: readonly string[] },
): void {
  const { word, membership, secrets, nodeIdentity, through, isNewAccount, root } = joined
  const member = membership.member(memberAccountOf(secrets.account))
  const present = membership.members.filter(({ status }) => status === 'in').length
  const size = `${count(present, 'member')}, ${count(membership.nodes.length, 'storage node')}`
  const verb = through === undefined ? 'This home belongs to' : 'Joined'
  terminal.line(`${verb} the grid ${word.gridName} as ${member?.name ?? 'a member'}: ${size}.`)
  if (word.kind === 'invite' && word.gridKey !== undefined) {
    terminal.line('You are an admin of it: you may invite and remove people.')
  }
  if (isNewAccount) {
    terminal.line('')
    printRecoveryKey(secrets.account, terminal)
  }
  terminal.line('\nNext:')
  if (nodeIdentity === undefined) {
    terminal.line('  hayloft put FILE          keep a file on the computers of your friends')
    terminal.line(
      '  hayloft grid join … --offer 100GB   run it again with this to keep files for them, too',
    )
  } else {
    terminal.line('  hayloft start --detach    keep files for your friends')
    terminal.line('  hayloft put FILE          keep a file on their computers')
    const advice = localOnlyAdvice({ listen })
    if (advice !== undefined) terminal.note(`\n${advice}`)
  }
  if (root === 'unreachable') {
    terminal.note(
      '\nToo few storage nodes answer now; the root folder, home:, is made when they do.',
    )
  }
}
