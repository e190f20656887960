import type { Clock } from '../foundation/clock.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import { gridIdBytes, readGridFile, type GridFile } from './grid-file.ts'
import type { HomeFiles } from './layout.ts'
import { readMembership } from './membership-file.ts'

/** The grid that a home belongs to, as it knows it. */
export interface OwnGrid {
  readonly file: GridFile
  readonly membership: Membership
}

/** @returns undefined if the home belongs to no grid. @throws HomeError if what it knows of its grid is damaged */
export async function readOwnGrid(files: HomeFiles, clock: Clock): Promise<OwnGrid | undefined> {
  const file = await readGridFile(files.grid)
  if (file === undefined) return undefined
  const gridId = gridIdBytes(file)
  return { file, membership: await readMembership(files.membership, { gridId, clock }) }
}
