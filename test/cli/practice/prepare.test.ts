import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { newAccountSecret } from '../../../src/capabilities/account.ts'
import { makePrivateDirectory } from '../../../src/home/files.ts'
import { readGridFile, type GridFile } from '../../../src/home/grid-file.ts'
import { writeSecrets } from '../../../src/home/key-store.ts'
import { preparePractice } from '../../../src/cli/practice/prepare.ts'
import type { Practice } from '../../../src/cli/practice/practice-file.ts'
import { systemRandomness } from '../../../src/foundation/system.ts'
import { nodeKeyOfIdentity } from '../../../src/network/identity.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const names = ['node-01', 'node-02']

async function prepared(dir: string): Promise<{ practice: Practice; grid: GridFile }> {
  const practice = await preparePractice(dir, { names, randomness: systemRandomness })
  const grid = await readGridFile(practice.client.grid)
  if (grid === undefined) throw new Error('the client has no list of members')
  return { practice, grid }
}

it('a practice grid whose client home was lost takes a recovered one back', async () => {
  const dir = join(await temporaryFolder(), 'practice')
  const { practice, grid } = await prepared(dir)
  await rm(practice.client.home, { recursive: true })
  const secrets = {
    account: newAccountSecret(systemRandomness),
    identity: systemRandomness.bytes(32),
  }
  await makePrivateDirectory(practice.client.home)
  await writeSecrets(practice.client, secrets, {
    passphrase: undefined,
    randomness: systemRandomness,
  })

  const { grid: again } = await prepared(dir)
  expect(again.gridId).toBe(grid.gridId)
  expect(again.members.slice(0, 2)).toEqual(grid.members.slice(0, 2))
  expect(again.members[2]).toMatchObject({
    name: 'me',
    key: nodeKeyOfIdentity(secrets.identity),
  })
})
