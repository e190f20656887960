import { fromHex } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import type { GridView } from '../grid/view.ts'
import { nodeKey, type NodeKey } from '../protocol/node-key.ts'
import { readJsonFile, writeJsonFile, type Fields } from './json-file.ts'

/** `grid.json`: the grid as its members know it. Nothing in it is secret, but only members need it. */
export interface GridFile {
  /** 32 bytes as hexadecimal digits. */
  readonly gridId: string
  /** Multiaddrs of nodes to ask first. */
  readonly bootstrap: readonly string[]
  readonly members: readonly Member[]
}

export interface Member {
  readonly name: string
  /** `storage`: keeps shares. `client`: only asks. */
  readonly role: 'storage' | 'client'
  readonly key: NodeKey
  /** The person it belongs to: 32 bytes as hexadecimal digits, the same for all devices of one. */
  readonly account: string
  /** The household that would lose its nodes together. */
  readonly zone: string
  /** What it offers to the grid, in bytes; 0 for a client. */
  readonly capacityBytes: number
}

const FORMAT = { format: 'hayloft-grid', version: 1 }

/** @returns undefined if there is no such file */
export async function readGridFile(path: string): Promise<GridFile | undefined> {
  const fields = await readJsonFile(path, FORMAT)
  if (fields === undefined) return undefined
  return {
    gridId: fields.hex32('gridId'),
    bootstrap: fields.texts('bootstrap'),
    members: fields.objects('members').map(memberOf),
  }
}

export async function writeGridFile(path: string, grid: GridFile): Promise<void> {
  await writeJsonFile(path, FORMAT, grid)
}

export function storageMembers({ members }: GridFile): Member[] {
  return members.filter(({ role }) => role === 'storage')
}

export function viewOfGrid(grid: GridFile): GridView {
  return {
    gridId: gridIdBytes(grid),
    nodes: storageMembers(grid).map(({ key, name, zone, capacityBytes }) => ({
      key,
      name,
      zone,
      capacityBytes,
    })),
  }
}

export function gridIdBytes({ gridId }: GridFile): Uint8Array {
  const bytes = fromHex(gridId)
  assert(bytes !== undefined, 'a grid id is hexadecimal')
  return bytes
}

function memberOf(fields: Fields): Member {
  return {
    name: fields.text('name'),
    role: fields.oneOf('role', ['storage', 'client']),
    key: nodeKey(fields.hex32('key')),
    account: fields.hex32('account'),
    zone: fields.text('zone'),
    capacityBytes: fields.whole('capacityBytes'),
  }
}
