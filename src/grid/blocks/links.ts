import { HayloftError } from '../../foundation/error.ts'
import type { BlockId } from '../../protocol/block-id.ts'
import { areLeaves, openManifest } from '../../protocol/manifest.ts'
import type { GridContext } from '../context.ts'
import { BrokenFileError } from '../errors.ts'
import { callUnlessSilent } from '../nodes/patience.ts'
import { defaultCode } from '../placement/defaults.ts'
import { fetchBlock } from './fetch.ts'
import type { Link } from './frame.ts'
import { openLinks, openLinksAtStart, PROBE_BYTES } from './seal.ts'

/**
 * The links of a block, for whoever may verify it. Only a block itself tells whether it has any, and most have none:
 * so the beginning of its first share is asked for, one small message instead of k shares, and the whole block only if
 * its links do not end there.
 * @throws NotEnoughSharesError, BrokenFileError
 */
export async function linksOfBlock(
  context: GridContext,
  { id, verifyKey }: { readonly id: BlockId; readonly verifyKey: Uint8Array },
  signal?: AbortSignal,
): Promise<readonly Link[]> {
  const start = await beginningOf(context, id, signal)
  const links = start === undefined ? undefined : openLinksAtStart(verifyKey, start)
  if (links !== undefined) return links
  const { ciphertext } = await fetchBlock(context, id, signal)
  return openLinks(verifyKey, ciphertext)
}

/** The first leaf of share 0, which begins as the ciphertext does, from the node that should have it. */
async function beginningOf(
  { monitor, ranking, view }: GridContext,
  id: BlockId,
  signal: AbortSignal | undefined,
): Promise<{ beginning: Uint8Array; ciphertextBytes: number } | undefined> {
  const [first] = ranking.order(id, defaultCode(view.nodes).total)
  if (first === undefined || !monitor.isPreferred(first.key)) return undefined
  const request = { op: 'get' as const, id, index: 0, leaves: { first: 0, count: 1 } }
  try {
    const { share } = await callUnlessSilent<'get'>(monitor, first.key, request, signal)
    if (share?.index !== 0 || share.bytes.length < PROBE_BYTES) return undefined
    const manifest = openManifest(id, share.manifest)
    const { bytes, proof } = share
    if (!areLeaves(manifest, { index: 0, firstLeaf: 0, bytes, proof })) return undefined
    const { ciphertextBytes } = manifest
    return { beginning: bytes.subarray(0, ciphertextBytes), ciphertextBytes }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof HayloftError && !(error instanceof BrokenFileError)) return undefined
    throw error
  }
}
