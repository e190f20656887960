import { join } from 'node:path'
import { toHex } from '../../foundation/bytes.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { Ranking } from '../../grid/placement/rank.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { viewOfGrid } from '../../home/grid-file.ts'
import { readJsonFile, writeJsonFile } from '../../home/json-file.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { ParcelDirectory } from '../../storage-node/parcels/directory.ts'
import type { ExportOptions, ExportReport } from '../../storage-node/parcels/export.ts'
import type { ImportReport } from '../../storage-node/parcels/import.ts'
import type { StorageNode } from '../../storage-node/storage-node.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/** A node whose shares are carried by hand. */
export interface CarryingNode {
  readonly storage: StorageNode
  readonly membership: Membership
  readonly self: NodeKey
}

/** `hayloft-export.json`, by which a directory is known to hold an export, and of which grid. */
const CATALOG = 'hayloft-export.json'
const FORMAT = { format: 'hayloft-export', version: 1 }

/**
 * @param request.dir - absolute
 * @param request.destination - the name of another node, to copy only what belongs on it by the order of placement
 */
export async function exportTo(
  { storage, membership, self }: CarryingNode,
  request: { readonly dir: string; readonly destination?: string | undefined },
  context: Pick<ExportOptions, 'onProgress' | 'signal'>,
): Promise<ExportReport> {
  const { dir, destination } = request
  const isWanted =
    destination === undefined
      ? undefined
      : belongsOn(membership, nodeNamed(membership, destination))
  await makePrivateDirectory(dir)
  await refuseForeign(dir, membership)
  const catalog = join(dir, CATALOG)
  const about = { gridId: toHex(membership.gridId), from: self, for: destination ?? null }
  await writeJsonFile(catalog, FORMAT, { ...about, isComplete: false })
  const report = await describingFailures(
    `What goes to ${dir}`,
    async () =>
      await storage.export({
        ...context,
        to: new ParcelDirectory(dir),
        ...(isWanted !== undefined && { isWanted }),
      }),
  )
  await writeJsonFile(catalog, FORMAT, { ...about, isComplete: true })
  return report
}

export async function importFrom(
  { storage, membership }: CarryingNode,
  dir: string,
  context: {
    readonly onProgress: (progress: { readonly files: number }) => void
    readonly signal: AbortSignal
  },
): Promise<ImportReport> {
  if (!(await refuseForeign(dir, membership))) {
    throw new CliError({
      exit: EXIT.inputMissing,
      code: 'no-export',
      message: `${dir} holds no export of a Hayloft node: there is no ${CATALOG} in it.`,
    })
  }
  return await describingFailures(
    `The directory ${dir}`,
    async () => await storage.import({ ...context, from: new ParcelDirectory(dir) }),
  )
}

/** @returns whether there is an export. @throws CliError if it is of another grid; HomeError if it is damaged */
async function refuseForeign(dir: string, membership: Membership): Promise<boolean> {
  const fields = await readJsonFile(join(dir, CATALOG), FORMAT)
  if (fields === undefined) return false
  if (fields.hex32('gridId') === toHex(membership.gridId)) return true
  throw new CliError({
    exit: EXIT.usage,
    code: 'export-of-other-grid',
    message: `${dir} holds an export of another grid, whose shares nobody here could use.`,
  })
}

function belongsOn(membership: Membership, node: NodeKey): NonNullable<ExportOptions['isWanted']> {
  const ranking = new Ranking(viewOfGrid(membership))
  return (id, total) =>
    ranking
      .order(id, total)
      .slice(0, total)
      .some(({ key }) => key === node)
}

function nodeNamed(membership: Membership, name: string): NodeKey {
  const [found, another] = membership.nodes.filter(
    (node) => node.name === name || node.key === name,
  )
  if (found !== undefined && another === undefined) return found.key
  const names = membership.nodes.map((node) => node.name).join(', ')
  throw new CliError({
    exit: EXIT.usage,
    code: 'node-unknown',
    message:
      found === undefined
        ? `There is no node of that name in this grid. There are: ${names}.`
        : 'Several nodes have that name; name it by its key, which "hayloft grid status --json" tells.',
  })
}
