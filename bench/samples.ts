import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { systemRandomness } from '../src/foundation/system.ts'

const CHUNK_BYTES = 2 ** 20

/** A file of random bytes, so that no two of them have a block in common. */
export async function writeSample(path: string, sizeBytes: number): Promise<void> {
  await using file = await open(path, 'w')
  for (let written = 0; written < sizeBytes; written += CHUNK_BYTES) {
    await file.writeFile(systemRandomness.bytes(Math.min(CHUNK_BYTES, sizeBytes - written)))
  }
  // What the system still has to write must not happen while something is measured.
  await file.sync()
}

/** @returns the names of the files in `dir` */
export async function writeSmallSamples(
  dir: string,
  { count, sizeBytes }: { count: number; sizeBytes: number },
): Promise<string[]> {
  await mkdir(dir, { recursive: true })
  const names = Array.from({ length: count }, (_, at) => String(at).padStart(4, '0'))
  for (const name of names) await writeFile(join(dir, name), systemRandomness.bytes(sizeBytes))
  return names
}

/** @throws Error unless both files have the same bytes: a fast answer that is wrong is not worth a row */
export async function requireSame(a: string, b: string): Promise<void> {
  const [one, other] = await Promise.all([digestOf(a), digestOf(b)])
  if (one !== other) throw new Error(`${b} came back with other bytes than ${a} has`)
}

/** The same of whole directories: equal names, and equal bytes in each file. @throws Error */
export async function requireSameTree(a: string, b: string): Promise<void> {
  const [one, other] = await Promise.all([filesIn(a), filesIn(b)])
  if (one.join('\0') !== other.join('\0')) throw new Error(`${b} has other files than ${a}`)
  for (const name of one) await requireSame(join(a, name), join(b, name))
}

async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.map(({ parentPath, name }) => relative(dir, join(parentPath, name))).sort()
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  return digest.digest('hex')
}
