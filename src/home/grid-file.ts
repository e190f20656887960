import { fromHex } from '../foundation/bytes.ts'
import { assert } from '../foundation/error.ts'
import type { GridView } from '../grid/view.ts'
import { flawOfMemberName } from '../protocol/membership/names.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import { damaged, readJsonFile, writeJsonFile } from './json-file.ts'

/** `grid.json`: which grid a home belongs to. Who else does stands in `membership`. */
export interface GridFile {
  /** 32 bytes as hexadecimal digits. */
  readonly gridId: string
  /** What its members call it. */
  readonly name: string
  /** Multiaddrs of nodes to ask first. */
  readonly bootstrap: readonly string[]
}

/**
 * @returns undefined if there is no such file
 * @throws HomeError if it is damaged, or from before grids had invites
 */
export async function readGridFile(path: string): Promise<GridFile | undefined> {
  const fields = await readJsonFile(path, FORMAT, {
    1:
      'it is of a practice grid from before grids had invites, and such a grid cannot become a real one. ' +
      'Make a new one, "hayloft practice start --dir" with an empty directory, and put the files there',
  })
  if (fields === undefined) return undefined
  const name = fields.text('name')
  if (flawOfMemberName(name) !== undefined) throw damaged(path, '"name" is not one')
  return { gridId: fields.hex32('gridId'), name, bootstrap: fields.texts('bootstrap') }
}

export async function writeGridFile(path: string, grid: GridFile): Promise<void> {
  await writeJsonFile(path, FORMAT, grid)
}

export function gridIdBytes({ gridId }: Pick<GridFile, 'gridId'>): Uint8Array {
  const bytes = fromHex(gridId)
  assert(bytes !== undefined, 'a grid id is hexadecimal')
  return bytes
}

/** The grid as placement sees it, which follows its members. */
export function viewOfGrid(membership: Membership): GridView {
  return {
    gridId: membership.gridId,
    get nodes() {
      return membership.nodes
    },
  }
}

const FORMAT = { format: 'hayloft-grid', version: 2 }
