import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { sha256 } from '../../crypto/hash.ts'
import { concatBytes, equalBytes, toHex } from '../../foundation/bytes.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { blockIdHex, type BlockIdHex } from '../../protocol/block-id.ts'
import { KIND_HISTORY, type BlockFrame } from '../blocks/frame.ts'
import type { BlockStore } from '../blocks/store.ts'
import { BrokenFileError, NotEnoughSharesError } from '../errors.ts'
import type { BlockReference } from '../files/index-node.ts'
import {
  BrokenSlotRecordError,
  decodeContentFields,
  encodeContentFields,
  linkTo,
  MAX_PARENTS,
  type SlotContents,
} from './contents.ts'
import type { OpenedRecord } from './seal.ts'

/** A state of a slot that another one has replaced. */
export interface PastState {
  /** Of the history block that has it; undefined for one that a record in force carries. */
  readonly reference?: BlockReference | undefined
  readonly contents: SlotContents
}

/**
 * Turns states that are about to be replaced into history blocks, and gives the parents of the state that replaces
 * them. Not stored before the store is flushed.
 */
export async function recordHistory(
  store: Pick<BlockStore, 'put'>,
  replaced: readonly Pick<OpenedRecord, 'contents'>[],
): Promise<BlockReference[]> {
  const states = await Promise.all(
    replaced.map(async ({ contents }) => await store.put(stateFrame(contents))),
  )
  if (states.length <= MAX_PARENTS) return states
  // A record has room for three, so what is more goes into a bundle.
  const direct = states.slice(0, MAX_PARENTS - 1)
  return [...direct, await store.put(bundleFrame(states.slice(direct.length)))]
}

/**
 * Past states, the last changed first, as far back as they were kept.
 * @param heads the states to begin with; they are not among the results
 * @throws BrokenFileError, BrokenSlotRecordError; NotEnoughSharesError for a state that nodes which are away may keep
 */
export async function* walkHistory(
  store: Pick<BlockStore, 'get'>,
  heads: readonly Pick<SlotContents, 'parents' | 'carried'>[],
  signal?: AbortSignal,
): AsyncGenerator<PastState> {
  const seen = new Set<BlockIdHex>()
  /** Several states carry what they have in common, and a block may have it, too. */
  const shown = new Set<string>()
  let open: PastState[] = heads.flatMap((head) => carriedBy(head).map((contents) => ({ contents })))
  /** Those not met before: concurrent states have parents in common, alone or in bundles. */
  const unseen = (references: readonly BlockReference[]): BlockReference[] =>
    references.filter(({ id }) => {
      const name = blockIdHex(id)
      if (seen.has(name)) return false
      seen.add(name)
      return true
    })
  const visit = async (references: readonly BlockReference[]): Promise<void> => {
    const frames = await framesOf(store, unseen(references), signal)
    const states = frames.filter(({ frame }) => frame.level === 0)
    const bundles = frames.filter(({ frame }) => frame.level !== 0)
    const bundled = unseen(bundles.flatMap(({ frame }) => decodeBundle(frame)))
    states.push(...(await framesOf(store, bundled, signal)))
    const found = states.flatMap(({ reference, frame }) => {
      const state = decodeState(frame)
      return [state, ...carriedBy(state)].map((contents) => ({ reference, contents }))
    })
    open = [...open, ...found].sort(byTime)
  }
  await visit(heads.flatMap(directParents))
  for (;;) {
    const next = open.pop()
    if (next === undefined) return
    const name = inlineName(next.contents)
    if (name === undefined || !shown.has(name)) yield next
    if (name !== undefined) shown.add(name)
    await visit(directParents(next.contents))
  }
}

/**
 * History blocks, but for those that nobody keeps any more: there history goes back no further. One that nodes which are
 * away may have is none of these: without it an older state would be taken for the last one before a time.
 * @throws NotEnoughSharesError
 */
async function framesOf(
  store: Pick<BlockStore, 'get'>,
  references: readonly BlockReference[],
  signal: AbortSignal | undefined,
): Promise<{ reference: BlockReference; frame: BlockFrame }[]> {
  const frames = await mapConcurrently(references, BLOCKS_AT_ONCE, async (reference) => {
    try {
      const expect = { kinds: [KIND_HISTORY] }
      return { reference, frame: await store.get(reference, { expect, signal }) }
    } catch (error) {
      if (error instanceof NotEnoughSharesError && !error.mayComeBack) return undefined
      throw error
    }
  })
  return frames.filter((found) => found !== undefined)
}

/** Tells a state with inline content from others; those with blocks have their own blocks of history, once each. */
function inlineName({ inline, modifiedMs, device }: SlotContents): string | undefined {
  if (inline === undefined) return undefined
  return [modifiedMs, toHex(sha256(inline)), device].join(' ')
}

/** What a state carries, the newest first: each as if it stood alone. What the state replaced, the last of them did. */
function carriedBy({
  carried = [],
  parents,
}: Pick<SlotContents, 'parents' | 'carried'>): SlotContents[] {
  return carried.map((state, at) => ({
    kind: 'file',
    ...state,
    sizeBytes: state.inline.length,
    parents: at === carried.length - 1 ? parents : [],
  }))
}

/** What a state replaced itself, if it is not the last one that it carries which did. */
function directParents({
  carried,
  parents,
}: Pick<SlotContents, 'parents' | 'carried'>): readonly BlockReference[] {
  return carried === undefined ? parents : []
}

/** Level 0: what the payload of a record said, and its links without the places that were empty. */
function stateFrame(contents: SlotContents): BlockFrame {
  const { root, parents } = contents
  return {
    kind: KIND_HISTORY,
    level: 0,
    links: [
      ...(root === undefined ? [] : [linkTo('block', root)]),
      ...parents.map((parent) => linkTo('history', parent)),
    ],
    content: encodeContentFields(contents),
  }
}

/** @throws BrokenSlotRecordError, BrokenFileError */
function decodeState({ level, links, content }: BlockFrame): SlotContents {
  if (level !== 0) throw new BrokenFileError('a bundle of old states holds another')
  const [first] = links
  const root = first?.type === 'block' ? first : undefined
  const parents = root === undefined ? links : links.slice(1)
  if (parents.some(({ type }) => type !== 'history')) {
    throw new BrokenSlotRecordError('a parent is no history')
  }
  return decodeContentFields(content, { root, parents })
}

/** Level 1: several states of level 0; the content has their keys, 32 bytes each. */
function bundleFrame(states: readonly BlockReference[]): BlockFrame {
  return {
    kind: KIND_HISTORY,
    level: 1,
    links: states.map((state) => linkTo('history', state)),
    content: concatBytes(states.map(({ key }) => key)),
  }
}

/** @throws BrokenFileError */
function decodeBundle({ level, links, content }: BlockFrame): BlockReference[] {
  const isBundle = level === 1 && links.length >= 2 && links.length <= MAX_BUNDLED
  if (!isBundle || content.length !== links.length * KEY_BYTES) {
    throw new BrokenFileError('a bundle of old states does not fit its links')
  }
  return links.map((link, at) => {
    const key = content.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES)
    if (link.type !== 'history' || !equalBytes(link.verifyKey, verifyKeyOf(key))) {
      throw new BrokenFileError('a bundle of old states does not fit its links')
    }
    return { key, id: link.id }
  })
}

/** The last changed at the end. */
function byTime(a: PastState, b: PastState): number {
  const order = (a.contents.modifiedMs ?? 0) - (b.contents.modifiedMs ?? 0)
  if (order !== 0) return order
  return nameOf(a) < nameOf(b) ? -1 : 1
}

function nameOf({ reference, contents }: PastState): string {
  return toHex(reference?.id ?? contents.inline ?? new Uint8Array(0))
}

const KEY_BYTES = 32
/** Blocks fetched at once. */
const BLOCKS_AT_ONCE = 16
/** More states than ever stand beside each other. */
const MAX_BUNDLED = 256
