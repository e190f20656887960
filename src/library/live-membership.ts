import { systemClock, systemRandomness } from '../foundation/system.ts'
import { NotAMemberError } from '../home/errors.ts'
import { watchFile } from '../home/file-watch.ts'
import type { HomeFiles } from '../home/layout.ts'
import { writeMembership } from '../home/membership-file.ts'
import type { OwnGrid } from '../home/own-grid.ts'
import { withDeadline } from '../network/deadline.ts'
import { MembershipKeeper } from '../network/membership/keeper.ts'
import type { GridNetwork, NetworkOptions } from '../network/open.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import type { NodeKey } from '../protocol/node-key.ts'

/** What a home knows of its grid, as a network takes it; what the network learns is put on disk. */
export function networkMembership(
  { file, membership }: OwnGrid,
  files: HomeFiles,
): Pick<NetworkOptions, 'gridId' | 'bootstrap' | 'members'> & {
  readonly membership: {
    readonly keeper: MembershipKeeper
    readonly randomness: typeof systemRandomness
  }
} {
  const keeper = keepMembership(files, membership)
  return {
    gridId: membership.gridId,
    bootstrap: file.bootstrap,
    members: membership,
    membership: { keeper, randomness: systemRandomness },
  }
}

/**
 * Whoever was removed may have been let in again since, and whoever is in need not ask.
 * @throws NotAMemberError once the members that can be reached have been asked; the network is closed then
 */
export async function requireMembership(
  network: GridNetwork,
  { file, membership }: OwnGrid,
): Promise<void> {
  if (!wasRemoved(membership, network.self)) return
  await withDeadline(systemClock, CATCH_UP_TIMEOUT_MS, async () => {
    await network.catchUp()
  }).catch(() => undefined)
  if (!wasRemoved(membership, network.self)) return
  await network[Symbol.asyncDispose]()
  throw new NotAMemberError(file.name)
}

/** One that answers tells all there is to know; whoever is silent is not waited for. */
const CATCH_UP_TIMEOUT_MS = 3000

/** Whether a device belonged to the grid once and does so no more. One that nobody has heard of is another matter. */
export function wasRemoved(membership: Membership, device: NodeKey): boolean {
  if (membership.isMember(device)) return false
  return membership.all().some((each) => each.kind === 'device' && each.device === device)
}

export function keepMembership(
  { membership: path }: HomeFiles,
  membership: Membership,
): MembershipKeeper {
  return new MembershipKeeper(membership, async () => {
    await writeMembership(path, membership, systemClock)
  })
}

/**
 * Learns what other processes of the home write: a command that removes someone, say, while the node runs.
 *
 * @param onFlaw - told what is wrong with the file, once each time that it changes
 * @returns ends the watch
 */
export function watchMembership(
  { membership: path }: HomeFiles,
  membership: Membership,
  onFlaw: (error: unknown) => void,
): () => void {
  return watchFile(path, {
    clock: systemClock,
    onChange: async () => {
      await writeMembership(path, membership, systemClock).catch(onFlaw)
    },
  })
}
