import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { accountSecret } from '../../src/capabilities/account.ts'
import { formatCapability } from '../../src/capabilities/text.ts'
import { readAliases, writeAliases } from '../../src/home/alias-file.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { capabilities } from '../capabilities/support.ts'
import { temporaryFolder } from '../support/temporary.ts'

const account = accountSecret(new Uint8Array(32).fill(1))
const other = accountSecret(new Uint8Array(32).fill(2))
const names = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{1,20}$/)

it('aliases are read as they were written, by their account alone, and nothing of them shows', async () => {
  const path = join(await temporaryFolder(), 'aliases.json')
  expect(await readAliases(path, account)).toEqual(new Map())
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, capabilities, { maxKeys: 5 }), async (dictionary) => {
      const aliases = new Map(Object.entries(dictionary))
      await writeAliases(path, aliases, { account, randomness: systemRandomness })
      expect(await readAliases(path, account)).toEqual(aliases)
      await expect(readAliases(path, other)).rejects.toMatchObject({ code: 'home-damaged' })
      const text = await readFile(path, 'utf8')
      for (const capability of aliases.values()) {
        expect(text).not.toContain(formatCapability(capability))
      }
    }),
    { numRuns: 25 },
  )
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it.each(['', '{"format":"hayloft-aliases","version":1,"nonce":"00","sealed":"zz"}'])(
  'aliases that are %j are damaged',
  async (text) => {
    const path = join(await temporaryFolder(), 'aliases.json')
    await writeFile(path, text)
    await expect(readAliases(path, account)).rejects.toMatchObject({ code: 'home-damaged' })
  },
)
