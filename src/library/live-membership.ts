import { stat } from 'node:fs/promises'
import { systemCodeOf } from '../foundation/error.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { NotAMemberError } from '../home/errors.ts'
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

/** How often a running node looks whether another process of its home knows more: a removal counts within a second. */
const LOOK_INTERVAL_MS = 500

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
  let ended = false
  let cancel = (): void => undefined
  let seen: string | undefined
  const look = async (): Promise<void> => {
    try {
      const state = await stateOf(path)
      if (seen !== undefined && state !== seen) await writeMembership(path, membership, systemClock)
      // Writing changed it once more where this process knew more than the other.
      seen = await stateOf(path)
    } catch (error) {
      onFlaw(error)
      seen = await stateOf(path).catch(() => '')
    }
    if (!ended) schedule()
  }
  const schedule = (): void => {
    cancel = systemClock.after(LOOK_INTERVAL_MS, () => void look())
  }
  schedule()
  return () => {
    ended = true
    cancel()
  }
}

/** Tells one state of a file from the next, without reading it. */
async function stateOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return ''
    throw thrown
  }
}
