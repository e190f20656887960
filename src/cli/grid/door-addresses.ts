import { readAddressFile } from '../../home/address-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readRunning } from '../../home/running-file.ts'
import { parsePeerIdText, peerIdText } from '../../network/identity.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { isLocalOnly } from '../node/local-only.ts'
import type { OwnMembership } from './own.ts'

/**
 * Where a stranger may knock: at the node of this home first, then at others, one address each as long as there are
 * nodes, and those that only this computer can reach last.
 *
 * @throws CliError if no node is known, so that nobody could come in
 */
export async function doorAddresses(
  files: HomeFiles,
  { membership }: Pick<OwnMembership, 'membership'>,
  most: number,
): Promise<string[]> {
  const running = await readRunning(files.running)
  const own = running === undefined ? undefined : parsePeerIdText(running.peerId)
  const known = await readAddressFile(files.addresses)
  const byNode = new Map<NodeKey, readonly string[]>()
  if (own !== undefined && running !== undefined) byNode.set(own, running.addresses)
  for (const { key } of membership.nodes) {
    if (byNode.has(key)) continue
    const addresses = [...(known.get(key) ?? []), ...membership.addressesOf(key)]
    byNode.set(key, addresses)
  }
  const rounds = [...byNode].flatMap(([node, addresses]) =>
    [...new Set(addresses.map((address) => complete(address, node)))]
      .sort((a, b) => Number(isLocalOnly([a])) - Number(isLocalOnly([b])))
      .map((address, round) => ({ address, round })),
  )
  const chosen = rounds
    .sort(
      (a, b) =>
        Number(isLocalOnly([a.address])) - Number(isLocalOnly([b.address])) || a.round - b.round,
    )
    .slice(0, most)
    .map(({ address }) => address)
  if (chosen.length > 0) return chosen
  throw new CliError({
    exit: EXIT.config,
    code: 'no-door',
    message:
      'No storage node of the grid is known here, so nobody could come in by an invite. Start one, ' +
      '"hayloft start" (and before, if this home has none, "hayloft node config --offer 100GB").',
  })
}

function complete(address: string, node: NodeKey): string {
  const suffix = `/p2p/${peerIdText(node)}`
  return address.endsWith(suffix) ? address : `${address}${suffix}`
}
