import type { SnapshotReadCapability } from '../../capabilities/capability.ts'
import { toHex } from '../../foundation/bytes.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { BlockReference } from '../../grid/files/index-node.ts'
import { walkHistory, type PastState } from '../../grid/slots/history.ts'
import type { SlotReader } from '../../grid/slots/seal.ts'
import { blockIdHex, type BlockId, type BlockIdHex } from '../../protocol/block-id.ts'
import type { Directory, Entry } from '../entry.ts'
import type { Node } from '../tree/node-codec.ts'
import { openDirectory, openFrozen, openRoot } from '../tree/part.ts'
import { readLeaves } from '../tree/read.ts'
import { workingStore, type TreeStore } from '../tree/store.ts'
import { TOP } from '../tree/position.ts'
import type { FolderContext } from './context.ts'
import { commitOf } from './heads.ts'
import { linkedReader } from './links.ts'
import { nodesOf } from './nodes.ts'
import { keptCommits } from './retention.ts'

/**
 * Which past states retention gives up, of a folder or file that changes and of all that it links now or in a state
 * that is kept. Whatever cannot be read is left out, and so are states written meanwhile: who goes by what was found gives
 * up too little rather than too much.
 */
export class PastSurvey {
  readonly #context: FolderContext
  readonly #signal: AbortSignal | undefined
  readonly #nodes: TreeStore
  readonly #verdicts = new Map<BlockIdHex, Verdict>()
  readonly #slotsSeen = new Set<string>()
  readonly #nodesSeen = new Set<BlockIdHex>()

  constructor(context: FolderContext, signal: AbortSignal | undefined) {
    this.#context = context
    this.#signal = signal
    this.#nodes = workingStore(nodesOf(context.reading))
  }

  /** Of a state that retention gives up, whether others that it keeps are found through it alone. */
  isPassed(state: BlockId): boolean {
    return this.#verdicts.get(blockIdHex(state)) === PASSED
  }

  /** Whether retention keeps neither this state nor any before it. */
  isOver(state: BlockId): boolean {
    return this.#verdicts.get(blockIdHex(state)) === OVER
  }

  async addSnapshot({ key, id }: SnapshotReadCapability): Promise<void> {
    const links = await this.#linksBelow([async () => await openFrozen(this.#nodes, { key, id })])
    await this.#addSlots(links)
  }

  async addSlot(reader: SlotReader): Promise<void> {
    await this.#addSlots([reader])
  }

  async #addSlots(first: readonly SlotReader[]): Promise<void> {
    const open = this.#unseen(first)
    while (open.length > 0) {
      this.#signal?.throwIfAborted()
      const wave = open.splice(-SLOTS_AT_ONCE)
      const below = await mapConcurrently(wave, SLOTS_AT_ONCE, async (reader) => {
        return await readable(async () => await this.#addSlot(reader), [])
      })
      for (const reader of this.#unseen(below.flat())) open.push(reader)
    }
  }

  /** @returns what it links */
  async #addSlot(reader: SlotReader): Promise<SlotReader[]> {
    const { slots, reading, clock } = this.#context
    const { heads } = await slots.read(reader, { signal: this.#signal })
    const present = heads.map(({ contents }) => contents)
    const past: PastState[] = []
    for await (const state of walkHistory(reading, present, this.#signal)) {
      past.push(state)
      if (past.length > MAX_STATES) return []
    }
    const states = [...present, ...past.map(({ contents }) => contents)]
    const kept = new Set(keptCommits(states.map(timeOf), clock.nowMs()))
    this.#judge(past, kept)
    const wanted = [...present, ...states.filter((state) => kept.has(timeOf(state)))]
    const roots = wanted.flatMap((state) => {
      const root = commitOf(state)?.root
      return root !== undefined && this.#isFresh(root) ? [root] : []
    })
    return await this.#linksBelow(
      roots.map((root) => async () => await openRoot(this.#nodes, root)),
    )
  }

  /** @param past the last first */
  #judge(past: readonly PastState[], kept: ReadonlySet<number>): void {
    const oldest = past.findLastIndex(({ contents }) => kept.has(timeOf(contents)))
    for (const [at, { reference, contents }] of past.entries()) {
      // One that a record in force carries is kept with it.
      if (reference === undefined) continue
      const verdict = kept.has(timeOf(contents)) ? KEPT : at < oldest ? PASSED : OVER
      const name = blockIdHex(reference.id)
      // Who writes one folder can make states of another one, which they can read, part of its history.
      this.#verdicts.set(name, Math.min(verdict, this.#verdicts.get(name) ?? OVER) as Verdict)
    }
  }

  /** What directories and those in them link. What was met before is not read again. */
  async #linksBelow(tops: readonly (() => Promise<Node>)[]): Promise<SlotReader[]> {
    const links: SlotReader[] = []
    const open = [...tops]
    while (open.length > 0) {
      this.#signal?.throwIfAborted()
      const wave = open.splice(-DIRECTORIES_AT_ONCE)
      await mapConcurrently(wave, DIRECTORIES_AT_ONCE, async (openTop) => {
        await readable(async () => {
          const { directories, linked } = await this.#look(await openTop())
          for (const reader of linked) links.push(reader)
          for (const one of directories) {
            open.push(async () => await openDirectory(this.#nodes, one))
          }
        }, undefined)
      })
    }
    return links
  }

  /** What one directory holds. */
  async #look(top: Node): Promise<{ directories: Directory[]; linked: SlotReader[] }> {
    const directories: Directory[] = []
    const linked: SlotReader[] = []
    const leaves = readLeaves(this.#nodes, top, TOP, (part) => {
      return part.kind !== 'stored' || this.#isFresh(part.reference)
    })
    for await (const entries of leaves) {
      for (const entry of entries) {
        if (entry.kind !== 'directory') linked.push(...readerOf(entry))
        else if (this.#isFresh(entry.reference)) directories.push(entry)
      }
    }
    return { directories, linked }
  }

  #isFresh({ id }: BlockReference): boolean {
    const name = blockIdHex(id)
    if (this.#nodesSeen.has(name)) return false
    this.#nodesSeen.add(name)
    return true
  }

  #unseen(readers: readonly SlotReader[]): SlotReader[] {
    return readers.filter(({ slot, readKey }) => {
      // With a wrong key, which any writer can link, nothing is found.
      const name = toHex(slot) + toHex(readKey)
      if (this.#slotsSeen.has(name) || this.#slotsSeen.size >= MAX_SLOTS) return false
      this.#slotsSeen.add(name)
      return true
    })
  }
}

/** The most that any history asks of a state is the least. */
type Verdict = typeof KEPT | typeof PASSED | typeof OVER
const KEPT = 0
const PASSED = 1
const OVER = 2

function timeOf({ modifiedMs = 0 }: PastState['contents']): number {
  return modifiedMs
}

function readerOf(entry: Exclude<Entry, { kind: 'directory' }>): SlotReader[] {
  if (entry.kind !== 'linked-folder' && entry.kind !== 'linked-file') return []
  try {
    return [linkedReader(entry)]
  } catch (error) {
    if (error instanceof HayloftError) return []
    throw error
  }
}

async function readable<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof HayloftError) return otherwise
    throw error
  }
}

/** As many as share messages well; each may hold a history. */
const SLOTS_AT_ONCE = 16
/** Hides round trips; what is read at once is bounded by the nodes' store. */
const DIRECTORIES_AT_ONCE = 32
/** Folders and files that change in one tree: more than anyone shares. Of those past it, all of the past is kept. */
const MAX_SLOTS = 2 ** 18
/** Of one slot, some hundred MiB: a commit a minute for two years. Of one with more, all is kept. */
const MAX_STATES = 2 ** 20
