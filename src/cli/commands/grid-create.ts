import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { toHex } from '../../foundation/bytes.ts'
import { writeGridFile } from '../../home/grid-file.ts'
import { writeMembership } from '../../home/membership-file.ts'
import { readNodeFile, writeNodeFile } from '../../home/node-file.ts'
import { readOwnGrid } from '../../home/own-grid.ts'
import { foundGrid } from '../../home/own-statements.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { checkMemberName } from '../../protocol/membership/names.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { claimsOf, deviceLabel, ensureNodeIdentity, secretsFor } from '../grid/join-steps.ts'
import { nodeFor, personName, type NodeRequest } from '../grid/new-member.ts'
import { localOnlyAdvice } from '../node/local-only.ts'
import { describeRecoveryKey, printRecoveryKey } from '../recovery-sheet.ts'

export interface GridCreateRequest extends NodeRequest {
  readonly name: string
  /** What the others are to call its founder. */
  readonly as?: string
  readonly passphrase?: true
}

/** Makes a grid, of which the account of this home is the first member and admin. */
export async function gridCreate(
  request: GridCreateRequest,
  { files, terminal }: CommandContext,
): Promise<ExitCode> {
  const name = checkMemberName(request.name.normalize('NFC'), 'name of a grid')
  const person = personName(request.as, '--as')
  const before = await readOwnGrid(files, systemClock)
  if (before !== undefined) throw gridExists(files.home, before.file.name)
  // A node may have been set up before there was a grid for it.
  const node = (await nodeFor(request, { files, zone: person })) ?? (await readNodeFile(files.node))
  const passphrase = request.passphrase === true
  const { secrets, isNewAccount } = await secretsFor(undefined, files, { passphrase })
  const system = { clock: systemClock, randomness: systemRandomness }
  const { membership } = foundGrid({ account: secrets.account, name: person }, system)
  const nodeIdentity = node === undefined ? undefined : await ensureNodeIdentity(files)
  membership.add(claimsOf(membership, { secrets, nodeIdentity, deviceName: deviceLabel() }))
  if (node !== undefined) await writeNodeFile(files.node, node)
  // The grid's own file last: with it, the home belongs to a grid.
  await writeMembership(files.membership, membership, systemClock)
  const gridId = toHex(membership.gridId)
  await writeGridFile(files.grid, { gridId, name, bootstrap: [] })
  if (terminal.json) {
    terminal.value({
      grid: name,
      gridId,
      home: files.home,
      account: membership.members[0]?.account,
      device: nodeKeyOfIdentity(secrets.identity),
      node: nodeIdentity === undefined ? null : nodeKeyOfIdentity(nodeIdentity),
      ...(isNewAccount && describeRecoveryKey(secrets.account)),
    })
    return EXIT.ok
  }
  terminal.line(`Made the grid ${name}. You are ${person}, its first member and its admin.`)
  if (isNewAccount) {
    terminal.line('')
    printRecoveryKey(secrets.account, terminal)
    terminal.line('It brings back the grid too: with it you are its admin again.')
  }
  terminal.line('\nNext:')
  if (node === undefined) {
    terminal.line(
      '  hayloft node config --offer 100GB   to keep files for your friends on this computer',
    )
  }
  terminal.line('  hayloft start --detach              and leave it running')
  terminal.line('  hayloft grid invite --name NAME     for each of your friends')
  const advice = node && localOnlyAdvice(node)
  if (advice !== undefined) terminal.note(`\n${advice}`)
  return EXIT.ok
}

function gridExists(home: string, name: string): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'grid-exists',
    message: `${home} belongs to the grid ${name} already, and a home belongs to one. For another grid, set HAYLOFT_HOME to another directory.`,
  })
}
