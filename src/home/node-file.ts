import { readJsonFile, writeJsonFile } from './json-file.ts'

/** `node.json`: how a home's storage node is to run. Its operator may edit it. */
export interface NodeFile {
  /** Multiaddrs. Port 0 lets the system choose one at each start. */
  readonly listen: readonly string[]
  readonly capacityBytes: number
  /** What each account may store on it, in bytes. */
  readonly accountQuotaBytes: number
}

const FORMAT = { format: 'hayloft-node', version: 1 }

/** @returns undefined if there is no such file */
export async function readNodeFile(path: string): Promise<NodeFile | undefined> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return undefined
  return {
    listen: fields.texts('listen'),
    capacityBytes: fields.whole('capacityBytes'),
    accountQuotaBytes: fields.whole('accountQuotaBytes'),
  }
}

export async function writeNodeFile(path: string, node: NodeFile): Promise<void> {
  await writeJsonFile(path, FORMAT, node)
}
