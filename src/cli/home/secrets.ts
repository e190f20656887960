import type { Randomness } from '../../foundation/randomness.ts'
import { readIfThere, writePrivateFile } from './files.ts'
import { damaged } from './json-file.ts'

const SECRET_BYTES = 32

/** @returns undefined if there is no such file */
export async function readSecret(path: string): Promise<Uint8Array | undefined> {
  const bytes = await readIfThere(path)
  if (bytes !== undefined && bytes.length !== SECRET_BYTES) {
    throw damaged(path, `it should hold ${SECRET_BYTES} bytes`)
  }
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
