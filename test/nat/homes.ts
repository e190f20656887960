import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { memberAccountOf, signingAsGrid } from '../../src/capabilities/grid-keys.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import { assert } from '../../src/foundation/error.ts'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { writeGridFile } from '../../src/home/grid-file.ts'
import { ensureSecrets, type HomeSecrets } from '../../src/home/key-store.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { writeMembership } from '../../src/home/membership-file.ts'
import { writeNodeFile, type NodeFile } from '../../src/home/node-file.ts'
import { claimOf, foundGrid, gridKeyOfFounder } from '../../src/home/own-statements.ts'
import { nodeKeyOfIdentity, peerIdText } from '../../src/network/identity.ts'
import { announcementOf } from '../../src/protocol/membership/announce.ts'
import { signMember } from '../../src/protocol/membership/sign.ts'
import { nextSequence } from '../../src/protocol/membership/statements.ts'

/** A home on one machine of the testbed. */
export interface HomeWish {
  readonly name: string
  /** `relay`: a node that keeps nothing. */
  readonly role: 'storage' | 'relay' | 'client'
  readonly node?: Partial<NodeFile>
}

const PORT = 4001
const CAPACITY_BYTES = 1024 ** 3

/**
 * Makes the homes of one grid, whose members know each other and, as a way in, the address of one. All that these tests
 * know of how membership is written down is here.
 * @param hub - the founder's home
 * @returns the directory of each home
 */
export async function makeHomes(
  dir: string,
  wishes: readonly HomeWish[],
  { hub, hubAddress }: { readonly hub: string; readonly hubAddress: string },
): Promise<Map<string, string>> {
  const secrets = new Map<string, HomeSecrets>()
  for (const { name } of wishes) {
    await mkdir(join(dir, name), { recursive: true, mode: 0o700 })
    const none = (): Promise<never> => Promise.reject(new Error('no passphrase is wanted'))
    const options = { ask: none, randomness: systemRandomness }
    secrets.set(name, await ensureSecrets(homeFiles(join(dir, name)), options))
  }
  const secretsOf = (name: string): HomeSecrets => {
    const found = secrets.get(name)
    assert(found !== undefined, 'the home was made')
    return found
  }
  const system = { clock: systemClock, randomness: systemRandomness }
  const { account } = secretsOf(hub)
  const { membership } = foundGrid({ account, name: hub }, system)
  const gridKey = gridKeyOfFounder(membership, account)
  assert(gridKey !== undefined, 'the founder has the key')
  for (const { name, role } of wishes) {
    const own = secretsOf(name)
    const member = memberAccountOf(own.account)
    if (name !== hub) {
      const usual = { role: 'member', quotaBytes: undefined, expiresS: 0, status: 'in' } as const
      const seq = nextSequence(undefined, systemClock.nowMs())
      const said = { ...usual, account: member, seq, name, keyNonce: undefined }
      membership.add([signMember(said, signingAsGrid(gridKey)).bytes])
    }
    const use = role === 'client' ? ('client' as const) : ('storage' as const)
    membership.add([claimOf(membership, { ...own, name, use }, systemClock)])
    if (role === 'client') continue
    const capacityBytes = role === 'storage' ? CAPACITY_BYTES : 0
    const announced = { addresses: [], zone: name, capacityBytes }
    const { identity } = own
    const statement = announcementOf(membership, announced, { identity, clock: systemClock })
    if (statement !== undefined) membership.add([statement])
  }
  const peerId = peerIdText(nodeKeyOfIdentity(secretsOf(hub).identity))
  const file = {
    gridId: toHex(membership.gridId),
    name: 'nat',
    bootstrap: [`/ip4/${hubAddress}/tcp/${PORT}/p2p/${peerId}`],
  }
  const homes = new Map<string, string>()
  for (const { name, role, node } of wishes) {
    const files = homeFiles(join(dir, name))
    homes.set(name, files.home)
    await writeMembership(files.membership, membership, systemClock)
    await writeGridFile(files.grid, file)
    if (role === 'client') continue
    await writeNodeFile(files.node, {
      listen: [`/ip4/0.0.0.0/tcp/${PORT}`],
      capacityBytes: role === 'storage' ? CAPACITY_BYTES : 0,
      reserveBytes: 0,
      accountQuotaBytes: CAPACITY_BYTES,
      ...node,
    })
  }
  return homes
}
