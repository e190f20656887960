import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountSecret } from '../../src/capabilities/account.ts'
import {
  ensureSecrets,
  placeOfSecrets,
  readSecrets,
  writeSecrets,
  type AskPassphrase,
  type HomeSecrets,
} from '../../src/home/key-store.ts'
import { homeFiles, type HomeFiles } from '../../src/home/layout.ts'
import { ensureSecret } from '../../src/home/secrets.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { temporaryFolder } from '../support/temporary.ts'

const SECRETS: HomeSecrets = {
  account: accountSecret(Uint8Array.from({ length: 32 }, (_, i) => i)),
  identity: Uint8Array.from({ length: 32 }, (_, i) => 100 + i),
}
const PASSPHRASE = utf8('correct horse')

const says =
  (passphrase: Uint8Array): AskPassphrase =>
  async () =>
    await Promise.resolve(passphrase)
const neverAsked: AskPassphrase = async () => await Promise.reject(new Error('it was asked'))

async function homeWith(passphrase: Uint8Array | undefined): Promise<HomeFiles> {
  const files = homeFiles(await temporaryFolder())
  await writeSecrets(files, SECRETS, { passphrase, randomness: systemRandomness })
  return files
}

describe('a key store', () => {
  it('gives back what was put in, is its owner’s alone, and stands alone', async () => {
    const files = await homeWith(undefined)
    expect(await readSecrets(files, neverAsked)).toEqual(SECRETS)
    expect((await stat(files.secrets)).mode & 0o777).toBe(0o600)
    expect(await readdir(files.home)).toEqual(['secrets.json'])
    expect(await placeOfSecrets(files)).toBe('key-store')
  })

  it('under a passphrase opens with it alone, and shows nothing', async () => {
    const files = await homeWith(PASSPHRASE)
    expect(await readSecrets(files, says(PASSPHRASE))).toEqual(SECRETS)
    expect(await placeOfSecrets(files)).toBe('key-store-under-passphrase')
    const text = await readFile(files.secrets, 'utf8')
    expect(text).not.toContain(toHex(SECRETS.account))
    expect(text).not.toContain(toHex(SECRETS.identity))
    await expect(readSecrets(files, says(utf8('correct Horse')))).rejects.toMatchObject({
      code: 'passphrase-wrong',
      message: expect.not.stringContaining('orse') as string,
    })
  })

  it('is sealed anew each time, even under the same passphrase', async () => {
    const [one, other] = await Promise.all([homeWith(PASSPHRASE), homeWith(PASSPHRASE)])
    const texts = await Promise.all([one, other].map(({ secrets }) => readFile(secrets, 'utf8')))
    expect(texts[0]).not.toBe(texts[1])
  })

  it.each([undefined, PASSPHRASE])('knows any change to it for damage', async (passphrase) => {
    const files = await homeWith(passphrase)
    const text = await readFile(files.secrets, 'utf8')
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: text.length - 1 }), fc.nat({ max: 15 }), async (at, digit) => {
        const changed = text.slice(0, at) + digit.toString(16) + text.slice(at + 1)
        fc.pre(changed !== text)
        await writeFile(files.secrets, changed)
        // Where it is damaged it is told before anyone has to remember a passphrase.
        await expect(readSecrets(files, neverAsked)).rejects.toMatchObject({ code: 'home-damaged' })
      }),
    )
  })

  it.each([
    '',
    '{}',
    'null',
    '{"format":"hayloft-secrets","version":2}',
    '{"format":"hayloft-secrets","version":1,"protection":"prayer"}',
    '{"format":"hayloft-secrets","version":1,"protection":"none"}',
  ])('is refused when it is %j', async (text) => {
    const files = await homeWith(undefined)
    await writeFile(files.secrets, text)
    await expect(readSecrets(files, neverAsked)).rejects.toMatchObject({ code: 'home-damaged' })
  })

  it.each([0o640, 0o604, 0o660, 0o777])('is refused where others can read it', async (mode) => {
    const files = await homeWith(undefined)
    await chmod(files.secrets, mode)
    await expect(readSecrets(files, neverAsked)).rejects.toMatchObject({
      code: 'secrets-exposed',
      message: expect.stringContaining(mode.toString(8)) as string,
    })
  })
})

describe('secrets in files of their own', () => {
  async function plainHome(): Promise<HomeFiles> {
    const files = homeFiles(await temporaryFolder())
    await ensureSecret(files.accountKey, systemRandomness)
    await ensureSecret(files.identityKey, systemRandomness)
    return files
  }

  it('go on working, and are refused where others can read them', async () => {
    const files = await plainHome()
    const secrets = await readSecrets(files, neverAsked)
    expect(toHex(secrets.account ?? new Uint8Array())).toBe(toHex(await readFile(files.accountKey)))
    expect(await placeOfSecrets(files)).toBe('plain-files')
    const ensured = await ensureSecrets(files, { ask: neverAsked, randomness: systemRandomness })
    expect(ensured).toEqual(secrets)
    await chmod(files.accountKey, 0o644)
    await expect(readSecrets(files, neverAsked)).rejects.toMatchObject({ code: 'secrets-exposed' })
  })

  it('move into a key store, and nothing of them is left behind', async () => {
    const files = await plainHome()
    const before = await ensureSecrets(files, { ask: neverAsked, randomness: systemRandomness })
    await writeSecrets(files, before, { passphrase: PASSPHRASE, randomness: systemRandomness })
    expect(await readdir(files.home)).toEqual(['secrets.json'])
    expect(await readSecrets(files, says(PASSPHRASE))).toEqual(before)
  })

  it('are partly there in a home that knows only its device', async () => {
    const files = homeFiles(await temporaryFolder())
    expect(await readSecrets(files, neverAsked)).toEqual({})
    expect(await placeOfSecrets(files)).toBe('nowhere')
    const identity = await ensureSecret(files.identityKey, systemRandomness)
    expect(await readSecrets(files, neverAsked)).toEqual({ identity })
    expect(await placeOfSecrets(files)).toBe('nowhere')
  })
})
