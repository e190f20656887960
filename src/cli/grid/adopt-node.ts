import { existsSync } from 'node:fs'
import { systemClock } from '../../foundation/system.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { writeMembership } from '../../home/membership-file.ts'
import { nodeKeyOfIdentity } from '../../network/identity.ts'
import { claimsOf, deviceLabel, ensureNodeIdentity } from './join-steps.ts'
import { requireOwn } from './own.ts'

/** Makes the storage node that a home has now a device of its account, where the home belongs to a grid already. */
export async function adoptNode(files: HomeFiles): Promise<void> {
  if (!existsSync(files.grid)) return
  const { membership, secrets } = await requireOwn(files)
  const nodeIdentity = await ensureNodeIdentity(files)
  if (membership.isMember(nodeKeyOfIdentity(nodeIdentity))) return
  membership.add(claimsOf(membership, { secrets, nodeIdentity, deviceName: deviceLabel() }))
  await writeMembership(files.membership, membership, systemClock)
}
