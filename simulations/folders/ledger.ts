import { toHex } from '../../src/foundation/bytes.ts'
import type { OpenedRecord } from '../../src/grid/slots/seal.ts'
import type { SlotBase } from '../../src/grid/slots/client.ts'
import type { SlotContents } from '../../src/grid/slots/contents.ts'
import { CausalOracle, type Draft, type Element } from '../merge/oracle.ts'

/**
 * What every state of a folder must hold, whoever wrote it: the causal oracle, told of each commit when it is made. It
 * goes by what a commit was made from, and believes no clock.
 */
export class FolderLedger {
  readonly #oracle = new CausalOracle()
  readonly #commits = new Map<string, Commit>()
  /** By what their records say; a record is told by that alone. */
  readonly #records = new Map<string, PastState>()
  #views = 0

  /** Notes a commit as it is about to be sent. @param after what it leaves; undefined if it only joins its base */
  commit(base: SlotBase, contents: SlotContents, after?: readonly Draft[]): string {
    const view = this.#join(base.heads)
    const { tag, counter } = base
    const dot = `${tag} ${counter + 1}`
    const same = [...this.#commits.values()].filter((commit) => commit.dot === dot)
    const name = same.length === 0 ? dot : `${dot} ${same.length + 1}`
    const seen = this.#oracle.seenBy(view)
    // A number covers those before it, also those of writes that were not known to be stored.
    const undone = [...this.#commits].filter(
      ([earlier, commit]) => commit.tag === tag && commit.counter <= counter && !seen.has(earlier),
    )
    const undoes = new Set(undone.map(([earlier]) => earlier))
    this.#commits.set(name, { dot, tag, counter: counter + 1, undoes, isAcknowledged: false })
    this.#oracle.commit(view, name, after ?? this.#oracle.visible(view))
    this.#oracle.undo(name, undoes)
    const record = nameOf(contents)
    const parents = base.heads.map((head) => nameOf(head.contents))
    this.#records.set(record, { name: record, timeMs: timeOf(contents), parents })
    this.#oracle.merge(record, [view])
    return name
  }

  acknowledge(name: string): void {
    const commit = this.#commits.get(name)
    if (commit !== undefined) commit.isAcknowledged = true
  }

  /** What a folder in these states must hold. */
  visible(heads: readonly OpenedRecord[]): Element[] {
    return this.#oracle.visible(this.#join(heads))
  }

  /** Whether a commit that leaves this of what it is based on changes nothing. */
  isUnchanged(heads: readonly OpenedRecord[], after: readonly Draft[]): boolean {
    const before = new Set<Draft>(this.visible(heads))
    return before.size === after.length && after.every((draft) => before.has(draft))
  }

  /**
   * What a folder in these states held at a time: all of them if none is later, else what the last state before that
   * time held which led to them. Several if nothing tells which of them was the last; none if none is as old.
   */
  visibleAt(heads: readonly OpenedRecord[], timeMs: number): Element[][] {
    if (heads.every(({ contents }) => timeOf(contents) <= timeMs)) return [this.visible(heads)]
    const before = this.history(heads).filter((state) => state.timeMs <= timeMs)
    const last = before.filter((state) => state.timeMs === before[0]?.timeMs)
    return last.map((state) => this.visibleIn(state))
  }

  /** What a state held. */
  visibleIn({ name }: PastState): Element[] {
    return this.#oracle.visible(name)
  }

  /** All that was ever put, by commits that took effect or not. */
  get everPut(): readonly Draft[] {
    return this.#oracle.elements
  }

  /** When states were written, as their records say. */
  get times(): number[] {
    return [...this.#records.values()].map(({ timeMs }) => timeMs)
  }

  /** The states that led to these, themselves included, the last first. */
  history(heads: readonly OpenedRecord[]): PastState[] {
    const found = new Map<string, PastState>()
    const open = heads.map(({ contents }) => nameOf(contents))
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const state = this.#records.get(name)
      if (state === undefined || found.has(name)) continue
      found.set(name, state)
      open.push(...state.parents)
    }
    return [...found.values()].sort((a, b) => b.timeMs - a.timeMs)
  }

  /** What cannot be true of states that were read. */
  faultsOf(heads: readonly OpenedRecord[]): string[] {
    return heads.flatMap(({ record, contents }) => {
      const name = nameOf(contents)
      if (!this.#records.has(name)) return ['shows a state that nobody wrote']
      const commits = [...this.#oracle.seenBy(name)]
      const seen = new Set(commits.map((commit) => this.#commits.get(commit)?.dot))
      return [...record.clock]
        .map(([tag, counter]) => `${tag} ${counter}`)
        .filter((dot) => !seen.has(dot))
        .map((dot) => `shows a state that counts ${dot} as seen, and was not made from it`)
    })
  }

  /** Commits that were acknowledged by now. */
  get acknowledged(): string[] {
    return [...this.#commits].flatMap(([name, { isAcknowledged }]) =>
      isAcknowledged ? [name] : [],
    )
  }

  /** Commits that are part of some states. */
  seen(heads: readonly OpenedRecord[]): string[] {
    return [...this.#oracle.seenBy(this.#join(heads))]
  }

  /** Which of these commits some states know nothing of. */
  unseen(commits: readonly string[], heads: readonly OpenedRecord[]): string[] {
    const seen = this.#oracle.seenBy(this.#join(heads))
    return commits.filter((name) => !seen.has(name))
  }

  /** What was acknowledged and is gone from these states, though nobody who knew of it has removed or replaced it. */
  losses(heads: readonly OpenedRecord[]): string[] {
    const seen = this.#oracle.seenBy(this.#join(heads))
    const undone = new Set(
      [...seen].flatMap((name) => Array.from(this.#commits.get(name)?.undoes ?? [])),
    )
    const lost = this.#oracle.elements.filter(({ addedBy, removedBy }) => {
      if (this.#commits.get(addedBy)?.isAcknowledged !== true) return false
      if (!seen.has(addedBy)) return true
      const removers = removedBy.filter((name) => seen.has(name))
      // What a commit removed that was itself undone had to come back.
      return removers.length > 0 && removers.every((name) => undone.has(name))
    })
    return lost.map(
      ({ path, addedBy }) => `${path} of commit ${addedBy} was acknowledged and is lost`,
    )
  }

  #join(heads: readonly OpenedRecord[]): string {
    this.#views += 1
    const view = `view ${this.#views}`
    this.#oracle.merge(
      view,
      heads.map(({ contents }) => nameOf(contents)),
    )
    return view
  }
}

/** A state that was written at some time. */
export interface PastState {
  readonly name: string
  /** As its record says. */
  readonly timeMs: number
  readonly parents: readonly string[]
}

interface Commit {
  readonly dot: string
  readonly tag: string
  readonly counter: number
  /** Earlier commits of the device that it had not seen stored, and whose numbers its own covers. */
  readonly undoes: ReadonlySet<string>
  isAcknowledged: boolean
}

function timeOf({ modifiedMs = 0 }: SlotContents): number {
  return modifiedMs
}

function nameOf({ root, parents, modifiedMs, device }: SlotContents): string {
  const blocks = [root, ...parents].map((block) => (block === undefined ? '' : toHex(block.id)))
  return [...blocks, modifiedMs, device].join(' ')
}
