import { nodeKey, type NodeKey } from '../protocol/node-key.ts'
import { readJsonFile, writeJsonFile } from './json-file.ts'

const FORMAT = { format: 'hayloft-addresses', version: 1 }

/** Where nodes were last known to listen. It is a cache: one that cannot be read counts as empty. */
export async function readAddressFile(path: string): Promise<Map<NodeKey, string[]>> {
  const known = new Map<NodeKey, string[]>()
  let entries: [string, unknown][]
  try {
    entries = (await readJsonFile(path, FORMAT))?.entries('nodes') ?? []
  } catch {
    return known
  }
  for (const [key, addresses] of entries) {
    if (!/^[0-9a-f]{64}$/.test(key) || !Array.isArray(addresses)) continue
    known.set(
      nodeKey(key),
      addresses.filter((address) => typeof address === 'string'),
    )
  }
  return known
}

/** Writes only what changed, so that a run which learnt nothing new costs no disk write. */
export async function writeAddressFile(
  path: string,
  known: ReadonlyMap<NodeKey, readonly string[]>,
): Promise<void> {
  const sorted = [...known].sort(([a], [b]) => (a < b ? -1 : 1))
  const nodes = Object.fromEntries(sorted)
  const before = Object.fromEntries(
    [...(await readAddressFile(path))].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  if (JSON.stringify(before) === JSON.stringify(nodes)) return
  await writeJsonFile(path, FORMAT, { nodes })
}
