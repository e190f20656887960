import {
  toVerify,
  type LiteralCapability,
  type MoreThanVerify,
  type VerifyCapability,
} from '../capabilities/capability.ts'
import { slotVerifyKey } from '../capabilities/slot-keys.ts'
import { mapConcurrently } from '../foundation/concurrency.ts'
import { HayloftError } from '../foundation/error.ts'
import type { Link } from './blocks/frame.ts'
import { linksOfBlock } from './blocks/links.ts'
import type { GridContext } from './context.ts'
import { BrokenFileError } from './errors.ts'
import type { SlotClient } from './slots/client.ts'

export interface TreeWalkOptions {
  /** Reads the slots on the way. */
  readonly slots: Pick<SlotClient, 'readLinks'>
  /** Whether to go into the past too; by default it does. */
  readonly history?: boolean | undefined
  /** Renew this account's leases on the slots on the way. */
  readonly renew?: boolean | undefined
  /** Called for what cannot be opened, so that the walk goes on past it; without it, the walk ends there. */
  readonly onUnreadable?: ((link: Link, error: HayloftError) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What a capability leads to first, for those who verify. A literal leads nowhere. */
export function rootLinkOf(
  capability: Exclude<MoreThanVerify | VerifyCapability, LiteralCapability>,
): Link {
  switch (capability.kind) {
    case 'file-verify':
    case 'snapshot-verify':
      return { type: 'block', id: capability.id, verifyKey: capability.verifyKey }
    case 'folder-verify':
    case 'mutable-verify':
      return { type: 'slot', slot: capability.slot, verifyKey: capability.verifyKey }
    case 'file-read':
    case 'snapshot-read':
    case 'folder-read':
    case 'folder-write':
    case 'mutable-read':
    case 'mutable-write':
      return rootLinkOf(toVerify(capability))
  }
}

/**
 * Everything that links lead to: blocks, slots and what they hold now and held before, each once, the nearest first.
 * The verify keys in the links open further links and nothing else, so the walker learns what there is, and no name,
 * content or key to one. Cycles of slots end where they began.
 *
 * What has no links costs one small message, as nothing but the block itself tells; slots cost a read, many in a message.
 * @throws NotEnoughSharesError, BrokenFileError, SlotUnavailableError where there is no `onUnreadable`
 */
export async function* walkTree(
  context: GridContext,
  roots: readonly Link[],
  options: TreeWalkOptions,
): AsyncGenerator<Link> {
  const seen = new Set<string>()
  const discover = (links: readonly Link[]): Link[] => {
    const fresh: Link[] = []
    for (const link of links) {
      if (options.history === false && link.type === 'history') continue
      const name = nameOf(link)
      if (seen.has(name)) continue
      if (seen.size >= MAX_LINKS) throw new BrokenFileError('its tree has no end')
      seen.add(name)
      fresh.push(link)
    }
    return fresh
  }
  const found = discover(roots)
  yield* found
  let opened = 0
  while (opened < found.length) {
    const wave = found.slice(opened, opened + WAVE)
    opened += wave.length
    const below = await mapConcurrently(wave, LINKS_AT_ONCE, async (link) => {
      options.signal?.throwIfAborted()
      return await linksBelow(context, link, options)
    })
    const fresh = discover(below.flat())
    yield* fresh
    for (const link of fresh) found.push(link)
  }
}

async function linksBelow(
  context: GridContext,
  link: Link,
  { slots, renew, onUnreadable, signal }: TreeWalkOptions,
): Promise<readonly Link[]> {
  try {
    if (link.type !== 'slot') return await linksOfBlock(context, link, signal)
    const verifier = { slot: link.slot, verifyKey: slotVerifyKey(link.verifyKey) }
    const { heads } = await slots.readLinks(verifier, { renew, signal })
    const roots = heads.flatMap(({ root }) => root ?? [])
    return roots.concat(heads.flatMap(({ parents }) => parents))
  } catch (error) {
    if (!(error instanceof HayloftError) || onUnreadable === undefined) throw error
    onUnreadable(link, error)
    return []
  }
}

/**
 * Where it is and the key that opens it: who writes a tree could link to a block that is not theirs with a wrong key,
 * and must not hide it thereby from who comes to it on the right way. A string of bytes, as there may be millions.
 */
function nameOf(link: Link): string {
  const locator = link.type === 'slot' ? link.slot : link.id
  return Buffer.from(locator).toString('latin1') + Buffer.from(link.verifyKey).toString('latin1')
}

/** Blocks and slots in one walk: some hundred MiB of names, two TiB of files. */
const MAX_LINKS = 2 ** 21
/** Links looked into before those found below them. */
const WAVE = 1024
/** Of them at once: hides round trips; the answers are small. */
const LINKS_AT_ONCE = 96
