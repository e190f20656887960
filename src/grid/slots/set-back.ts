import { HayloftError } from '../../foundation/error.ts'
import type { BlockStore } from '../blocks/store.ts'
import { NotEnoughSharesError } from '../errors.ts'
import type { BlockReference } from '../files/index-node.ts'
import type { SlotBase } from './client.ts'
import { recordHistory } from './history.ts'
import type { OpenedRecord } from './seal.ts'

/** One state of a folder or file, as its history tells it. */
export interface SetBackState {
  /** ms since 1970 */
  readonly timeMs: number
  readonly device: string
}

/** Nodes have gone back to an older state, and what makes up the newer one that was seen is on none of them. */
export interface SetBack {
  /** What was seen before and cannot be read any more. */
  readonly newer: SetBackState | undefined
  /** What can be gone back to; undefined if that is nothing at all. */
  readonly older: SetBackState | undefined
  /** When this device found it out, in ms since 1970. */
  readonly sinceMs: number | undefined
}

export function setBackSentence(
  what: 'folder' | 'file',
  { newer, older, sinceMs }: SetBack,
): string {
  const since = sinceMs === undefined ? '' : ` That was found out on ${dateOf(sinceMs)}.`
  const command = what === 'folder' ? 'folder accept' : 'mutable accept'
  const wayOut =
    what === 'file' && older === undefined
      ? 'If not, "hayloft put FILE" gives it new content; what it had is lost then.'
      : `If not, "hayloft ${command} PLACE" makes the older state the present one; what came after it is lost then.`
  return (
    `What this ${what} was last${saidOf(newer)} is on no storage node that answers, though it was there: nodes have gone ` +
    `back to an older state${saidOf(older)}.${since} If some that have the newer one may come back, wait for them. ${wayOut}`
  )
}

/** There is no older state to accept: what was there last can be read, or nothing else is known. */
export class NothingSetBackError extends HayloftError {
  readonly code = 'nothing-set-back'

  constructor() {
    super(
      'There is nothing to accept: as far as this device knows, storage nodes have not gone back to an older state, or what ' +
        'was there last can be read all the same. To make it what it was before, restore it.',
    )
  }
}

/** States of a slot, by whether they can be read. */
export interface Sorted {
  /** Whose topmost block cannot be had. */
  readonly gone: readonly OpenedRecord[]
  readonly there: readonly OpenedRecord[]
}

/** @param get - fetches a topmost block */
export async function sortByRoot(
  heads: readonly OpenedRecord[],
  get: (root: BlockReference) => Promise<unknown>,
): Promise<Sorted> {
  const gone: OpenedRecord[] = []
  const there: OpenedRecord[] = []
  for (const head of heads) {
    const { root } = head.contents
    try {
      if (root !== undefined) await get(root)
      there.push(head)
    } catch (error) {
      if (!(error instanceof NotEnoughSharesError)) throw error
      gone.push(head)
    }
  }
  return { gone, there }
}

/** What of a slot's states becomes the present one, and what of them is given up for it. */
export interface Choice {
  readonly kept: readonly OpenedRecord[]
  readonly given: readonly OpenedRecord[]
}

/**
 * Keeps the older state that nodes went back to, or what of several states can be read.
 * @param force - also where all of the newer state's topmost blocks can be read
 * @throws NothingSetBackError
 */
export function chooseOlder(
  { heads, older }: Pick<SlotBase, 'heads' | 'older'>,
  { gone, there }: Sorted,
  force: boolean,
): Choice {
  const isLost = gone.length > 0 || (force && older !== undefined)
  const usesOlder = there.length === 0 || gone.length === 0
  if (!isLost || (usesOlder && older === undefined)) throw new NothingSetBackError()
  return usesOlder ? { kept: older?.heads ?? [], given: heads } : { kept: there, given: gone }
}

/** The parents of the state that replaces all of these. What came before the states that are gone is gone with them. */
export async function parentsAfter(
  store: Pick<BlockStore, 'put'>,
  { kept, given }: Choice,
): Promise<BlockReference[]> {
  const names = given.map(({ contents }) => ({ contents: { ...contents, parents: [] } }))
  return await recordHistory(store, [...kept, ...names])
}

function saidOf(state: SetBackState | undefined): string {
  if (state === undefined) return ''
  const by = state.device === '' ? '' : ` by ${state.device}`
  return ` (of ${dateOf(state.timeMs)}${by})`
}

/** To the second, in UTC: times are others' numbers, and one that no calendar has is told as it is. */
function dateOf(timeMs: number): string {
  const time = new Date(timeMs)
  return Number.isNaN(time.getTime())
    ? String(timeMs)
    : `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
