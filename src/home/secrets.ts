import { stat } from 'node:fs/promises'
import type { Randomness } from '../foundation/randomness.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { HomeError } from './errors.ts'
import { readIfThere, writePrivateFile } from './files.ts'
import { damaged } from './json-file.ts'

export const SECRET_BYTES = 32

/** @returns undefined if there is no such file. @throws HomeError if others can read it, or it is damaged */
export async function readSecret(path: string): Promise<Uint8Array | undefined> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return undefined
  await refuseExposed(path)
  if (bytes.length !== SECRET_BYTES) throw damaged(path, `it should hold ${SECRET_BYTES} bytes`)
  return bytes
}

/** The secret that is there, or else a new one. */
export async function ensureSecret(path: string, randomness: Randomness): Promise<Uint8Array> {
  const there = await readSecret(path)
  if (there !== undefined) return there
  const secret = randomness.bytes(SECRET_BYTES)
  await writePrivateFile(path, secret)
  return secret
}

/** A secret that others on the machine can read is none any more, and only its owner can judge who did. */
export async function refuseExposed(path: string): Promise<void> {
  // Windows keeps no such bits: there the directory's access list decides.
  if (process.platform === 'win32') return
  const { mode } = await describingFailures(`The file ${path}`, async () => await stat(path))
  if ((mode & OTHERS) === 0) return
  throw new HomeError({
    code: 'secrets-exposed',
    message:
      `Others on this machine can read the secrets in ${path} (its mode is ${(mode & 0o777).toString(8)}). ` +
      'If nobody did, "chmod 600" on it is enough; if somebody may have, make a new account.',
  })
}

/** Reading, writing and running by the group and by everybody. */
const OTHERS = 0o077
