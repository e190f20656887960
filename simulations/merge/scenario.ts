import { equalBytes } from '../../src/foundation/bytes.ts'
import { HayloftError } from '../../src/foundation/error.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import { listDirectory, walkDirectory } from '../../src/folders/read.ts'
import { emptyState, type FolderState } from '../../src/folders/state.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import { SeededRandomness } from '../randomness.ts'
import { MemoryTreeStore } from './memory-store.ts'
import { CausalOracle, copiesIn, type Draft, type Element } from './oracle.ts'
import { commitActions, flatten, flattenElements, rebuildRoot, type Replica } from './replica.ts'
import { parentOf, perform, Refused, type Action } from './user.ts'

export interface MergeResult {
  readonly seed: number
  /** Sentences; empty if the folder kept every promise. */
  readonly violations: readonly string[]
  /** What happened, a line a step. */
  readonly story: readonly string[]
  readonly conflicts: number
}

/**
 * Some devices edit one folder, see each other's states now and then, and after every step hold exactly what the
 * causal oracle says. In the end all of them merge, each in another order, and have one and the same root.
 */
export async function playMerges(seed: number): Promise<MergeResult> {
  const play = new Play(seed)
  try {
    await play.run()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return { ...play.result, violations: [error.message] }
  }
  return play.result
}

class Violation extends Error {}

const MAX_STEPS = 24

class Play {
  readonly #seed: number
  readonly #randomness: SeededRandomness
  readonly #store = new MemoryTreeStore()
  readonly #oracle = new CausalOracle()
  readonly #replicas: Replica[] = []
  /** States that were once published; a device may still come upon one. */
  readonly #past: { readonly state: FolderState; readonly seen: string }[] = []
  readonly #story: string[] = []
  #conflicts = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#randomness = new SeededRandomness(`merge/${seed}`)
  }

  get result(): MergeResult {
    const [seed, story, conflicts] = [this.#seed, this.#story, this.#conflicts]
    return { seed, violations: [], story, conflicts }
  }

  async run(): Promise<void> {
    const state = await emptyState(this.#store)
    const names = DEVICES.slice(0, this.#randomness.between(2, DEVICES.length))
    for (const name of names) {
      const tag = name.charCodeAt(0).toString(16).repeat(8) as TagHex
      this.#replicas.push({ name, tag, state })
    }
    if (this.#randomness.chance(BULK_CHANCE)) await this.#putMany()
    const steps = this.#randomness.between(4, MAX_STEPS)
    for (let step = 0; step < steps; step++) {
      const replica = this.#randomness.pick(this.#replicas)
      if (this.#randomness.chance(0.7)) await this.#commit(replica)
      else await this.#merge(replica)
      await this.#check(replica)
    }
    await this.#converge()
  }

  /** Enough for several nodes, so that merges meet branches. */
  async #putMany(): Promise<void> {
    const replica = this.#randomness.pick(this.#replicas)
    const directory = this.#randomness.pick(['', 'd/'])
    const actions = Array.from({ length: BULK_FILES }, (_, number): Action => {
      const text = `${number}`.padEnd(BULK_FILE_BYTES, '.')
      const data = { text, mtimeMs: FIRST_MS, device: replica.name }
      return { kind: 'put', path: `${directory}bulk ${number}`, data }
    })
    await this.#apply(replica, actions)
    for (const other of this.#replicas) {
      if (other === replica || this.#randomness.chance(0.3)) continue
      other.state = replica.state
      this.#oracle.merge(other.name, [replica.name])
    }
  }

  async #commit(replica: Replica): Promise<void> {
    const visible = this.#oracle.visible(replica.name)
    // What a second action of a commit meets of a conflict is what the first one left, not what is shown.
    const hasConflict = directoriesOf(visible).some((path) => copiesIn(visible, path).size > 0)
    const count = hasConflict || this.#randomness.chance(0.7) ? 1 : this.#randomness.between(2, 4)
    await this.#apply(
      replica,
      Array.from({ length: count }, () => this.#action(replica, visible, count === 1)),
    )
  }

  async #apply(replica: Replica, actions: readonly Action[]): Promise<void> {
    const { name, tag } = replica
    this.#story.push(`${name}: ${actions.slice(0, 4).map(tell).join('; ')}`)
    let expected: readonly Draft[] | undefined
    try {
      expected = actions.reduce(perform, this.#oracle.visible(name) as readonly Draft[])
    } catch (error) {
      if (!(error instanceof Refused)) throw error
    }
    let state: FolderState | undefined
    try {
      state = await commitActions(this.#store, replica, actions)
    } catch (error) {
      if (!(error instanceof HayloftError)) throw error
      if (expected !== undefined) throw this.#violation(`refused: ${error.message}`)
      return
    }
    if (expected === undefined) throw this.#violation('took what must be refused')
    const event = `${tag} ${state.clock.get(tag)}`
    this.#oracle.commit(name, event, expected)
    this.#publish(replica, state)
  }

  async #merge(replica: Replica): Promise<void> {
    const others = this.#randomness.sample(this.#replicas, this.#randomness.between(1, 3))
    const old = this.#past.length > 0 && this.#randomness.chance(0.2)
    const past = old ? [this.#randomness.pick(this.#past)] : []
    const states = [...others.map(({ state }) => state), ...past.map(({ state }) => state)]
    const seen = [...others.map(({ name }) => name), ...past.map(({ seen }) => seen)]
    this.#story.push(`${replica.name} merges ${seen.join(', ')}`)
    const all = this.#randomness.sample([replica.state, ...states])
    this.#oracle.merge(replica.name, seen)
    this.#publish(replica, await mergeStates(this.#store, all))
  }

  #publish(replica: Replica, state: FolderState): void {
    replica.state = state
    const seen = `${replica.name} at ${this.#past.length}`
    this.#oracle.copy(replica.name, seen)
    this.#past.push({ state, seen })
  }

  async #check(replica: Replica): Promise<void> {
    const visible = this.#oracle.visible(replica.name)
    const expected = flattenElements(visible)
    const actual = await flatten(this.#store, replica.state)
    const missing = expected.filter((line) => !actual.includes(line))
    const excess = actual.filter((line) => !expected.includes(line))
    if (missing.length + excess.length > 0) {
      throw this.#violation(
        `${replica.name} lacks [${missing.map(brief).join('; ')}] and has [${excess.map(brief).join('; ')}]`,
      )
    }
    await this.#checkShown(replica, visible)
    const rebuilt = await rebuildRoot(this.#store, replica.state, (entries) =>
      this.#randomness.sample(entries),
    )
    if (!equalBytes(rebuilt.reference.id, replica.state.root.id)) {
      throw this.#violation(`${replica.name}: the tree depends on its history`)
    }
  }

  async #checkShown({ name, state }: Replica, visible: readonly Element[]): Promise<void> {
    for (const directory of directoriesOf(visible)) {
      const copies = copiesIn(visible, directory)
      this.#conflicts += copies.size
      const names = directory === '' ? [] : directory.split('/')
      const shown = await listDirectory(this.#store, state, names as never)
      const actual = shown.filter(({ copyOf }) => copyOf !== undefined)
      const isSame =
        new Set(shown.map((each) => each.name)).size === shown.length &&
        actual.length === copies.size &&
        actual.every(
          (each) =>
            copies.get([...names, each.name].join('/'))?.data.mtimeMs ===
            ('mtimeMs' in each.entry ? each.entry.mtimeMs : undefined),
        )
      if (!isSame) {
        throw this.#violation(
          `${name} shows [${actual.map((each) => each.name).join('; ')}] in "${directory}", not [${[...copies.keys()].join('; ')}]`,
        )
      }
    }
  }

  async #converge(): Promise<void> {
    const roots = new Set<string>()
    for (const replica of this.#replicas) {
      let merged = replica.state
      if (this.#randomness.chance(0.5)) {
        const states = this.#randomness.sample(this.#replicas).map(({ state }) => state)
        for (const state of states) merged = await mergeStates(this.#store, [merged, state])
      } else {
        const states = this.#randomness.sample(this.#replicas).map(({ state }) => state)
        merged = await mergeStates(this.#store, states)
      }
      roots.add(Buffer.from(merged.root.id).toString('hex'))
      const again = await mergeStates(this.#store, [merged, replica.state, merged])
      if (!equalBytes(again.root.id, merged.root.id)) {
        throw this.#violation('merging again changed something')
      }
    }
    if (roots.size !== 1) throw this.#violation('devices that saw the same hold different trees')
    const everything = this.#replicas.map(({ name }) => name)
    this.#oracle.merge('everyone', everything)
    const state = await mergeStates(
      this.#store,
      this.#replicas.map((each) => each.state),
    )
    await this.#check({ name: 'everyone', tag: '' as TagHex, state })
    for await (const { entry } of walkDirectory(this.#store, state, [])) void entry
  }

  #action(replica: Replica, visible: readonly Element[], isAlone: boolean): Action {
    const randomness = this.#randomness
    const device = replica.name
    switch (randomness.below(11)) {
      case 0:
        return { kind: 'make-directory', path: this.#path(visible) }
      case 1:
        return { kind: 'remove', path: this.#path(visible) }
      case 2:
        return { kind: 'remove', path: this.#source(visible) }
      case 3:
      case 10:
        return { kind: 'move', from: this.#source(visible), to: this.#path(visible) }
      case 4:
        return { kind: 'copy', from: this.#source(visible), to: this.#path(visible) }
      case 5:
        return { kind: 'set', path: this.#path(visible), mtimeMs: this.#timeMs() }
      default: {
        const data = { text: randomness.pick(TEXTS), mtimeMs: this.#timeMs(), device }
        // Such a change is based on a state, so it comes alone.
        const kind = isAlone && randomness.chance(0.4) ? 'put-over-shown' : 'put'
        return { kind, path: this.#path(visible), data }
      }
    }
  }

  /** One of few, so that devices meet; often one that is there, or shown there. */
  #path(visible: readonly Element[]): string {
    const randomness = this.#randomness
    if (visible.length > 0 && randomness.chance(0.5)) {
      const paths = directoriesOf(visible).flatMap((path) =>
        Array.from(copiesIn(visible, path).keys()),
      )
      if (paths.length > 0 && randomness.chance(0.5)) return randomness.pick(paths)
      return randomness.pick(visible).path
    }
    const depth = randomness.pick([1, 1, 1, 2, 2, 3])
    const names = Array.from({ length: depth - 1 }, () => randomness.pick(DIRECTORY_NAMES))
    return [...names, randomness.pick(NAMES)].join('/')
  }

  /** Often a directory with something in it. */
  #source(visible: readonly Element[]): string {
    const directories = directoriesOf(visible).filter((path) => path !== '')
    const isDirectory = directories.length > 0 && this.#randomness.chance(0.6)
    return isDirectory ? this.#randomness.pick(directories) : this.#path(visible)
  }

  #timeMs(): number {
    return FIRST_MS + 1000 * this.#randomness.below(4)
  }

  #violation(what: string): Violation {
    return new Violation(`${what}, after: ${this.#story.at(-1)}`)
  }
}

const DEVICES = ['A', 'B', 'C', 'D']
const TEXTS = ['t1', 't2', 't3', 't4', 't5']
const DIRECTORY_NAMES = ['d', 'e']
const NAMES = ['d', 'e', 'f.txt', 'g', 'h.tar.gz']
const FIRST_MS = Date.UTC(2026, 0, 2, 3, 4, 5)
const BULK_CHANCE = 0.15
/** Together more than fits one leaf. */
const BULK_FILES = 60
const BULK_FILE_BYTES = 1000

export function directoriesOf(elements: readonly Draft[]): string[] {
  const paths = elements.flatMap(({ path, data }) =>
    data ? [parentOf(path)] : [path, parentOf(path)],
  )
  const all = paths.flatMap((path) => {
    const names = path.split('/')
    return names.map((_, at) => names.slice(0, at + 1).join('/'))
  })
  return [...new Set(['', ...all])]
}

function tell(action: Action): string {
  switch (action.kind) {
    case 'put':
    case 'put-over-shown':
      return `${action.kind} ${brief(action.data.text)} at ${action.path}`
    case 'make-directory':
    case 'remove':
      return `${action.kind} ${action.path}`
    case 'move':
    case 'copy':
      return `${action.kind} ${action.from} to ${action.to}`
    case 'set':
      return `set ${action.path}`
  }
}

function brief(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
