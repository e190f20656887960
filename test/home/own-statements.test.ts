import { expect, it } from 'vitest'
import { accountSecret, newAccountSecret } from '../../src/capabilities/account.ts'
import { memberAccountOf } from '../../src/capabilities/grid-keys.ts'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { findGridKey, writeGridKey } from '../../src/home/grid-key-file.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { claimOf, foundGrid, gridKeyOfFounder } from '../../src/home/own-statements.ts'
import { nodeKeyOfIdentity } from '../../src/network/identity.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { announcementOf } from '../../src/protocol/membership/announce.ts'

const SYSTEM = { clock: systemClock, randomness: systemRandomness }
const account = accountSecret(new Uint8Array(32).fill(1))
const identity = new Uint8Array(32).fill(2)

it('the recovery key of a founder brings the key of the grid back, and no other does', () => {
  const { gridKey, membership } = foundGrid({ account, name: 'Ada' }, SYSTEM)
  expect(gridKeyOfFounder(membership, account)).toEqual(gridKey)
  expect(gridKeyOfFounder(membership, newAccountSecret(systemRandomness))).toBeUndefined()
  expect(membership.member(memberAccountOf(account))).toMatchObject({ name: 'Ada', role: 'admin' })
})

it('an admin by invite keeps the key of the grid under their account', async () => {
  const { gridKey, membership } = foundGrid({ account, name: 'Ada' }, SYSTEM)
  const files = homeFiles(await temporaryFolder())
  const ben = newAccountSecret(systemRandomness)
  expect(await findGridKey(files, ben, membership)).toBeUndefined()
  await writeGridKey(files, gridKey, { account: ben, randomness: systemRandomness })
  expect(await findGridKey(files, ben, membership)).toEqual(gridKey)
  const stranger = newAccountSecret(systemRandomness)
  await expect(findGridKey(files, stranger, membership)).rejects.toThrow('another account')
  const other = foundGrid({ account: stranger, name: 'Zoe' }, SYSTEM)
  expect(await findGridKey(files, ben, other.membership)).toBeUndefined()
  expect(await findGridKey(files, account, membership)).toEqual(gridKey)
})

it('an account takes a device, and the device says what it offers, once', () => {
  const { membership } = foundGrid({ account, name: 'Ada' }, SYSTEM)
  const key = nodeKeyOfIdentity(identity)
  const claim = { account, identity, name: 'attic', use: 'storage' } as const
  expect(membership.add([claimOf(membership, claim, systemClock)]).refused).toEqual([])
  const said = { addresses: ['/ip4/127.0.0.1/tcp/1'], zone: 'home', capacityBytes: 5 }
  const first = announcementOf(membership, said, { identity, clock: systemClock })
  membership.add([first as Uint8Array])
  expect(membership.nodes).toEqual([{ key, name: 'attic', zone: 'home', capacityBytes: 5 }])
  expect(announcementOf(membership, said, { identity, clock: systemClock })).toBeUndefined()
  // A later claim counts before the earlier one, whatever the clock says.
  const renamed = claimOf(membership, { ...claim, name: 'cellar' }, { nowMs: () => 0 })
  expect(membership.add([renamed]).refused).toEqual([])
  expect(membership.deviceName(key)).toBe('cellar')
  const less = { ...said, capacityBytes: 4 }
  const second = announcementOf(membership, less, { identity, clock: { nowMs: () => 0 } })
  membership.add([second as Uint8Array])
  expect(membership.nodes[0]?.capacityBytes).toBe(4)
})
