import { toVerify } from '../../capabilities/capability.ts'
import type { FileReadCapability, FileVerifyCapability } from '../../capabilities/capability.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError } from '../errors.ts'
import { INDEX_FAN_OUT, MAX_LEVEL } from '../files/index-node.ts'
import { fetchBlock } from './fetch.ts'
import type { BlockLink } from './frame.ts'
import { openLinks } from './seal.ts'

/** What leads to one file that never changes, and lets its shares be checked. */
export type CheckableCapability = FileReadCapability | FileVerifyCapability

/** The verify capability that a capability includes. */
function verifyCapabilityOf(capability: CheckableCapability): FileVerifyCapability {
  return capability.kind === 'file-read' ? toVerify(capability) : capability
}

/**
 * All blocks of a file, top down, for whoever holds its verify capability. Only a block's own links tell whether it is
 * an index, and those have to be fetched; but the children of one index are all of one level, as readers insist, so
 * looking into the first of them tells for all.
 * @throws NotEnoughSharesError, BrokenFileError when an index cannot be read; blocks up to there were yielded
 */
export async function* walkFile(
  context: GridContext,
  capability: CheckableCapability,
  signal?: AbortSignal,
): AsyncGenerator<BlockLink> {
  const { verifyKey, id } = verifyCapabilityOf(capability)
  const root = { type: 'block' as const, id, verifyKey }
  yield root
  const links = await linksOf(context, root, signal)
  yield* walkLinks(context, links, { depth: 1, signal })
}

async function* walkLinks(
  context: GridContext,
  links: readonly BlockLink[],
  { depth, signal }: { depth: number; signal: AbortSignal | undefined },
): AsyncGenerator<BlockLink> {
  if (depth > MAX_LEVEL + 1) throw new BrokenFileError('its index is too deep')
  yield* links
  const [first] = links
  if (first === undefined) return
  const below = await linksOf(context, first, signal)
  if (below.length === 0) return
  yield* walkLinks(context, below, { depth: depth + 1, signal })
  for (const link of links.slice(1)) {
    const children = await linksOf(context, link, signal)
    yield* walkLinks(context, children, { depth: depth + 1, signal })
  }
}

async function linksOf(
  context: GridContext,
  { id, verifyKey }: BlockLink,
  signal: AbortSignal | undefined,
): Promise<readonly BlockLink[]> {
  const { ciphertext } = await fetchBlock(context, id, { signal })
  const links = openLinks(verifyKey, ciphertext)
  if (links.length > INDEX_FAN_OUT) throw new BrokenFileError('an index has too many links')
  return links.map((link) => {
    if (link.type !== 'block')
      throw new BrokenFileError('a file links to something other than a block')
    return link
  })
}
