import { toHex } from '../../foundation/bytes.ts'
import { findGridKey } from '../../home/grid-key-file.ts'
import { defaultCode } from '../../grid/placement/defaults.ts'
import { zonesOf } from '../../grid/view.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { requireOwn } from '../grid/own.ts'
import { count, formatBytes } from '../terminal.ts'

/** The grid of this home in a few lines. Asks nobody. */
export async function gridShow({ files, terminal }: CommandContext): Promise<ExitCode> {
  const { file, membership, account, secrets } = await requireOwn(files)
  const present = membership.members.filter(({ status }) => status === 'in')
  const { nodes } = membership
  const offeredBytes = nodes.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0)
  const isAdmin = (await findGridKey(files, secrets.account, membership)) !== undefined
  const you = membership.member(account)
  const households = zonesOf(nodes)
  const code = nodes.length === 0 ? undefined : defaultCode(nodes)
  if (terminal.json) {
    terminal.value({
      grid: file.name,
      gridId: toHex(membership.gridId),
      you: { account, name: you?.name ?? null, status: you?.status ?? null, admin: isAdmin },
      members: present.length,
      devices: membership.keys().length,
      nodes: nodes.length,
      households,
      offeredBytes,
      code: code === undefined ? null : { required: code.required, total: code.total },
      statements: membership.all().length,
    })
    return EXIT.ok
  }
  const rows: readonly (readonly [string, string])[] = [
    ['grid', file.name],
    ['id', toHex(membership.gridId)],
    ['you', `${you?.name ?? 'nobody that it knows'}${isAdmin ? ', an admin' : ''}`],
    [
      'members',
      `${count(present.length, 'person', 'people')}, ${count(membership.keys().length, 'device')}`,
    ],
    [
      'nodes',
      `${count(nodes.length, 'storage node')} in ${count(households, 'household')}, offering ${formatBytes(offeredBytes)}`,
    ],
    [
      'files',
      code === undefined
        ? 'cannot be stored until there is a storage node'
        : `are kept as ${count(code.total, 'share')} of which any ${code.required} bring them back`,
    ],
  ]
  for (const [name, value] of rows) terminal.line(`${name.padEnd(9)} ${value}`)
  return EXIT.ok
}
