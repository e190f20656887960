import { toHex, utf8 } from '../../foundation/bytes.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { readIfThere, writePrivateFile } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { refuseExposed } from '../../home/secrets.ts'

const TOKEN = /^[0-9a-f]{64}$/

/** The token of a home's API. @returns undefined if there is none. @throws HomeError if others can read it */
export async function readToken({
  apiToken,
}: Pick<HomeFiles, 'apiToken'>): Promise<string | undefined> {
  const bytes = await readIfThere(apiToken)
  if (bytes === undefined) return undefined
  await refuseExposed(apiToken)
  const text = Buffer.from(bytes).toString('latin1').trim()
  return TOKEN.test(text) ? text : undefined
}

/** The same, made where there is none: it stays the same from start to start, until somebody deletes the file. */
export async function ensureToken(
  files: Pick<HomeFiles, 'apiToken'>,
  randomness: Randomness,
): Promise<string> {
  const there = await readToken(files)
  if (there !== undefined) return there
  const token = toHex(randomness.bytes(32))
  await writePrivateFile(files.apiToken, utf8(`${token}\n`))
  return token
}
