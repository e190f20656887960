import { rm } from 'node:fs/promises'
import { accountSecret, type AccountSecret } from '../capabilities/account.ts'
import { openBox, sealBox } from '../crypto/aead.ts'
import { sha256 } from '../crypto/hash.ts'
import { keyOfPassword } from '../crypto/passwords.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../foundation/bytes.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { HomeError } from './errors.ts'
import { damaged, readJsonFile, writeJsonFile, type Fields } from './json-file.ts'
import type { HomeFiles } from './layout.ts'
import { ensureSecret, readSecret, refuseExposed, SECRET_BYTES } from './secrets.ts'

/** The secrets of a home. */
export interface HomeSecrets {
  /** The person, on all of their devices. */
  readonly account: AccountSecret
  /** The Ed25519 seed of this device, 32 bytes. */
  readonly identity: Uint8Array
}

/** Gives the passphrase of a home when it is needed, and not before. @throws HomeError if there is none to be had */
export type AskPassphrase = () => Promise<Uint8Array>

/**
 * The secrets of a home, wherever it keeps them: in one file, `secrets.json`, which may be under a passphrase, or each in
 * a file of its own, as practice grids and nodes do. What is not there is undefined.
 *
 * @throws HomeError: the passphrase is wrong, a file is damaged, or others on the machine can read it
 */
export async function readSecrets(
  files: HomeFiles,
  ask: AskPassphrase,
): Promise<Partial<HomeSecrets>> {
  const stored = await readKeyStore(files.secrets, ask)
  if (stored !== undefined) return stored
  const account = await readSecret(files.accountKey)
  const identity = await readSecret(files.identityKey)
  return {
    ...(account === undefined ? {} : { account: accountSecret(account) }),
    ...(identity === undefined ? {} : { identity }),
  }
}

/** The secrets that are there, and new ones, each in a file of its own, for those that are not. @throws as the former */
export async function ensureSecrets(
  files: HomeFiles,
  { ask, randomness }: { readonly ask: AskPassphrase; readonly randomness: Randomness },
): Promise<HomeSecrets> {
  const stored = await readKeyStore(files.secrets, ask)
  if (stored !== undefined) return stored
  const identity = await ensureSecret(files.identityKey, randomness)
  return { identity, account: accountSecret(await ensureSecret(files.accountKey, randomness)) }
}

/** Where a home keeps its secrets. */
export type SecretsPlace = 'nowhere' | 'plain-files' | 'key-store' | 'key-store-under-passphrase'

/** Looks without opening anything. `nowhere` is a home without an account, though it may know its device. */
export async function placeOfSecrets(files: HomeFiles): Promise<SecretsPlace> {
  const fields = await readJsonFile(files.secrets, FORMAT)
  if (fields !== undefined) {
    const isSealed = protectionIn(fields) === 'passphrase'
    return isSealed ? 'key-store-under-passphrase' : 'key-store'
  }
  return (await readSecret(files.accountKey)) === undefined ? 'nowhere' : 'plain-files'
}

/** Puts the secrets into `secrets.json`, under a passphrase if one is given, and removes them from everywhere else. */
export async function writeSecrets(
  files: HomeFiles,
  secrets: HomeSecrets,
  options: { readonly passphrase: Uint8Array | undefined; readonly randomness: Randomness },
): Promise<void> {
  const { passphrase, randomness } = options
  const plain = concatBytes([secrets.account, secrets.identity])
  const contents =
    passphrase === undefined ? { secrets: toHex(plain) } : seal(plain, passphrase, randomness)
  await writeJsonFile(files.secrets, FORMAT, {
    protection: passphrase === undefined ? 'none' : 'passphrase',
    ...contents,
    checksum: checksumOf(Object.values(contents)),
  })
  await Promise.all(
    [files.accountKey, files.identityKey].map(async (path) => {
      await rm(path, { force: true })
    }),
  )
}

const FORMAT = { format: 'hayloft-secrets', version: 1 }

const SALT_BYTES = 16
const NONCE_BYTES = 24
const PLAIN_BYTES = 2 * SECRET_BYTES

/** @returns undefined if there is no such file */
async function readKeyStore(path: string, ask: AskPassphrase): Promise<HomeSecrets | undefined> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return undefined
  await refuseExposed(path)
  const plain =
    protectionIn(fields) === 'none'
      ? checked(fields, ['secrets'])[0]
      : await open(checked(fields, ['salt', 'nonce', 'sealed']), ask, path)
  if (plain?.length !== PLAIN_BYTES) throw damaged(path, `it should hold ${PLAIN_BYTES} bytes`)
  return {
    account: accountSecret(plain.slice(0, SECRET_BYTES)),
    identity: plain.slice(SECRET_BYTES),
  }
}

function protectionIn(fields: Fields): 'none' | 'passphrase' {
  return fields.oneOf('protection', ['none', 'passphrase'])
}

/** A passphrase that does not fit and a file that rotted look alike to the cipher, so a checksum tells them apart. */
function checked(fields: Fields, names: readonly string[]): Uint8Array[] {
  const texts = names.map((name) => fields.text(name))
  if (fields.hex32('checksum') !== checksumOf(texts)) {
    throw damaged(
      fields.path,
      'its checksum does not fit. Restore it from a copy, or move it away and run "hayloft recover"',
    )
  }
  return texts.map((text) => {
    const bytes = fromHex(text)
    if (bytes === undefined) throw damaged(fields.path, 'it is not hexadecimal where it should be')
    return bytes
  })
}

function checksumOf(texts: readonly string[]): string {
  return toHex(sha256(utf8(texts.join(' '))))
}

function seal(
  plain: Uint8Array,
  passphrase: Uint8Array,
  randomness: Randomness,
): { salt: string; nonce: string; sealed: string } {
  const salt = randomness.bytes(SALT_BYTES)
  const nonce = randomness.bytes(NONCE_BYTES)
  const key = keyOfPassword(passphrase, salt)
  const sealed = sealBox({ key, nonce, associatedData: ASSOCIATED_DATA }, plain)
  return { salt: toHex(salt), nonce: toHex(nonce), sealed: toHex(sealed) }
}

/** What the box is for, so that none of another version or file is taken for it. */
const ASSOCIATED_DATA = utf8(`${FORMAT.format} ${FORMAT.version}`)

async function open(
  [salt, nonce, sealed]: readonly Uint8Array[],
  ask: AskPassphrase,
  path: string,
): Promise<Uint8Array> {
  if (salt?.length !== SALT_BYTES || nonce?.length !== NONCE_BYTES || sealed === undefined) {
    throw damaged(path, 'its salt or nonce has another length')
  }
  const key = keyOfPassword(await ask(), salt)
  const plain = openBox({ key, nonce, associatedData: ASSOCIATED_DATA }, sealed)
  if (plain !== undefined) return plain
  throw new HomeError({
    code: 'passphrase-wrong',
    message: `That is not the passphrase of ${path}. If it is lost, move the file away and run "hayloft recover".`,
  })
}
