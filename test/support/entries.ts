import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** All entries below a directory. From Node 26 on a recursive `readdir` follows links, round in circles and out of it. */
export async function entriesBelow(directory: string): Promise<Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const below = entries.map(async (entry) =>
    entry.isDirectory() ? await entriesBelow(join(directory, entry.name)) : [],
  )
  return [...entries, ...(await Promise.all(below)).flat()]
}
