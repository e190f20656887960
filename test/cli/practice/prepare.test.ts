import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newAccountSecret, type AccountSecret } from '../../../src/capabilities/account.ts'
import { makePrivateDirectory } from '../../../src/home/files.ts'
import { readSecrets, writeSecrets } from '../../../src/home/key-store.ts'
import { readOwnGrid, type OwnGrid } from '../../../src/home/own-grid.ts'
import { askPassphrase } from '../../../src/cli/passphrase.ts'
import { preparePractice } from '../../../src/cli/practice/prepare.ts'
import type { Practice } from '../../../src/cli/practice/practice-file.ts'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import type { NodeKey } from '../../../src/protocol/node-key.ts'
import { nodeKeyOfIdentity } from '../../../src/network/identity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const names = ['node-01', 'node-02']

async function prepared(dir: string): Promise<{ practice: Practice; grid: OwnGrid }> {
  const practice = await preparePractice(dir, {
    names,
    randomness: systemRandomness,
    clock: systemClock,
  })
  const grid = await readOwnGrid(practice.client, systemClock)
  if (grid === undefined) throw new Error('the client belongs to no grid')
  return { practice, grid }
}

/** What a person has who recovered an account on an empty machine: another device. */
async function recovered(practice: Practice, account: AccountSecret): Promise<NodeKey> {
  await rm(practice.client.home, { recursive: true })
  await makePrivateDirectory(practice.client.home)
  const secrets = { account, identity: systemRandomness.bytes(32) }
  const options = { passphrase: undefined, randomness: systemRandomness }
  await writeSecrets(practice.client, secrets, options)
  return nodeKeyOfIdentity(secrets.identity)
}

it('a practice grid is one of members, who all hold what was signed of each other', async () => {
  const { practice, grid } = await prepared(join(await temporaryFolder(), 'practice'))
  expect(grid.membership.members.map(({ name, role }) => [name, role])).toEqual([
    ['me', 'admin'],
    ['node-01', 'member'],
    ['node-02', 'member'],
  ])
  expect(grid.membership.nodes.map(({ name, zone }) => `${name} in ${zone}`).sort()).toEqual([
    'node-01 in node-01',
    'node-02 in node-02',
  ])
  for (const { files } of practice.nodes) {
    const own = await readOwnGrid(files, systemClock)
    expect(own?.file).toEqual(grid.file)
    expect(own?.membership.digests()).toEqual(grid.membership.digests())
  }
})

it('a practice grid whose client home was lost takes its founder back with another device', async () => {
  const dir = join(await temporaryFolder(), 'practice')
  const { practice, grid } = await prepared(dir)
  const { account } = await readSecrets(practice.client, askPassphrase)
  if (account === undefined) throw new Error('the client has no account')
  const device = await recovered(practice, account)
  const { grid: again } = await prepared(dir)
  expect(again.file.gridId).toBe(grid.file.gridId)
  expect(again.membership.nodes).toEqual(grid.membership.nodes)
  expect(again.membership.memberOf(device)?.name).toBe('me')
})

it('a practice grid is not started by an account that has not made it', async () => {
  const dir = join(await temporaryFolder(), 'practice')
  const { practice } = await prepared(dir)
  await recovered(practice, newAccountSecret(systemRandomness))
  await expect(prepared(dir)).rejects.toMatchObject({ code: 'no-admin' })
})

it('a practice grid from before grids had invites is told apart, and left alone', async () => {
  const dir = join(await temporaryFolder(), 'practice')
  const { practice } = await prepared(dir)
  const former = { format: 'hayloft-grid', version: 1, gridId: '01'.repeat(32), members: [] }
  await writeFile(practice.client.grid, JSON.stringify(former))
  await expect(prepared(dir)).rejects.toThrow('from before grids had invites')
})
