import { describe, expect, it } from 'vitest'
import { accountSecret, rootFolderOf } from '../../src/capabilities/account.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { writeSecrets } from '../../src/home/key-store.ts'
import { openHome } from '../../src/home/opened-home.ts'
import { writeAliases } from '../../src/home/alias-file.ts'
import { placeArgument } from '../../src/cli/paths/place.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { temporaryFolder } from '../support/temporary.ts'

const account = accountSecret(new Uint8Array(32).fill(3))
const other = rootFolderOf(accountSecret(new Uint8Array(32).fill(4)))

describe('an opened home', () => {
  it('asks for its passphrase once, when something needs it', async () => {
    const files = homeFiles(await temporaryFolder())
    const passphrase = utf8('correct horse')
    const secrets = { account, identity: new Uint8Array(32) }
    await writeSecrets(files, secrets, { passphrase, randomness: systemRandomness })
    const aliases = new Map([['notes', other]])
    await writeAliases(files.aliases, aliases, { account, randomness: systemRandomness })
    let asked = 0
    const home = openHome(files, async () => {
      asked++
      return await Promise.resolve(passphrase)
    })
    expect(asked).toBe(0)
    const places = ['home:a', 'notes:b', 'notes:c']
    const found = await Promise.all(places.map((place) => placeArgument(place, home.findAlias)))
    expect(found.map(({ capability }) => capability)).toEqual([rootFolderOf(account), other, other])
    expect(await home.account()).toEqual(account)
    expect(asked).toBe(1)
    await expect(placeArgument('nobody:', home.findAlias)).rejects.toMatchObject({
      code: 'alias-unknown',
    })
  })

  it('without an account says how to get one', async () => {
    const home = openHome(homeFiles(await temporaryFolder()), () =>
      Promise.reject(new Error('asked')),
    )
    expect(await home.secrets()).toEqual({})
    await expect(home.findAlias('home')).rejects.toMatchObject({ code: 'no-account' })
  })
})
