import type { FolderWriteCapability } from '../../src/capabilities/capability.ts'
import { slotKeyOf } from '../../src/capabilities/slot-keys.ts'
import { HayloftError, systemCodeOf } from '../../src/foundation/error.ts'
import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import type { FolderWriter } from '../../src/folders/service/folder.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import type { SlotState } from '../../src/grid/slots/client.ts'
import { slotKeyHex, type SlotKey } from '../../src/protocol/slot-key.ts'
import { sourceOf } from '../bytes.ts'
import { StuckError } from '../clock.ts'
import { nameAt, type Data, type Draft, type Element } from '../merge/oracle.ts'
import { perform, Refused } from '../merge/user.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { World } from '../world.ts'
import { Abandoned, Deed, deeds, Violation, type Expectation } from './deed.ts'
import { DeviceCrash, type SimulatedDevice } from './device.ts'
import { hasConflict, type FolderJudge, type FolderJudges } from './judge.ts'
import { REFUSALS } from './observer.ts'
import { drawActions, editOf, type FolderAction } from './user.ts'

/** What a device was shown. */
export interface Sight {
  readonly state: SlotState
  readonly visible: readonly Element[]
  /** Equal for equal folders. */
  readonly digest: string
}

export interface ActorOptions {
  readonly world: World
  readonly judges: FolderJudges
  readonly device: SimulatedDevice
  /** The folder that all begin with. */
  readonly root: FolderWriteCapability
  /** Called with how each thing that was done has ended. */
  readonly onOutcome: (outcome: string) => void
  /** A time for a file: each another one. */
  readonly timeMs: () => number
  /** The time by the calendar, with a second for each time that it is asked for. */
  readonly nowMs: () => number
  /** Nothing fails but what nobody can do, and what others do at the same time. */
  readonly isCalm: boolean
  /** Whether nodes have lost or hidden anything by now, so that somebody may be told. */
  readonly mayTellRollback: () => boolean
}

/** A folder that somebody works in, while they do one thing. */
export interface Workplace {
  readonly folder: FolderWriter
  readonly slot: SlotKey
  readonly judge: FolderJudge
  readonly deed: Deed
}

/** Whoever sits at a device: looks at folders and changes them, and knows what must come of it. */
export class Actor {
  readonly device: SimulatedDevice
  readonly violations: string[] = []
  readonly root: FolderWriteCapability
  readonly judges: FolderJudges
  readonly #options: ActorOptions
  /** What was shown of each folder last. */
  readonly #seen = new Map<string, readonly Element[]>()

  constructor(options: ActorOptions) {
    this.#options = options
    this.device = options.device
    this.root = options.root
    this.judges = options.judges
  }

  get world(): World {
    return this.#options.world
  }

  /** What this user was shown last of a folder. */
  seenOf({ writeKey }: FolderWriteCapability): readonly Element[] {
    return this.#seen.get(slotKeyHex(slotKeyOf(writeKey))) ?? []
  }

  /** Makes the folder. */
  async make(): Promise<boolean | undefined> {
    return await this.attempt('make', this.root, async () => {
      await this.device.folders.ensure(this.root)
      return true
    })
  }

  /** Reads a folder. @returns undefined if that failed as it may */
  async look(at = this.root): Promise<Sight | undefined> {
    return await this.attempt('look', at, async ({ folder, slot, judge, deed }) => {
      const view = await folder.now()
      const state = deed.readsOf(slot).at(-1)
      if (state === undefined) throw new Violation('a folder was shown that nobody has read')
      this.checkRollback(state)
      const visible = await judge.compare(view, state.heads)
      this.#seen.set(slotKeyHex(slot), visible)
      if (hasConflict(visible)) this.count('conflict seen')
      const digest = await judge.digestOf(view, state.heads)
      return { state, visible, digest }
    })
  }

  /** @throws Violation if a rollback is told where there can be none */
  checkRollback({ rollback }: SlotState): void {
    if (rollback !== undefined && !this.#options.mayTellRollback()) {
      throw new Violation('a rollback was told where no node has lost anything')
    }
  }

  /** Changes a folder. @returns how sure it is that the change stays; undefined if it failed as it may */
  async change(randomness: SeededRandomness, at = this.root): Promise<string | undefined> {
    const { timeMs } = this.#options
    const device = this.device.name
    const actions = drawActions(randomness, { seen: this.seenOf(at), device, timeMs })
    return await this.attempt('change', at, async (place) => {
      const versions = await this.#putContents(place.folder, actions)
      return await this.edit(place, async (view) =>
        this.#editsOf(view, place, { actions, versions }),
      )
    })
  }

  /** Joins what was written at once, and changes nothing. */
  async join(at = this.root): Promise<string | undefined> {
    return await this.attempt('join', at, async (place) =>
      this.edit(place, async (view) => {
        await place.judge.compare(view, place.deed.writeOf(place.slot)?.base.heads ?? [])
        return []
      }),
    )
  }

  /** Reads every file to its end. */
  async readAll(at = this.root): Promise<boolean | undefined> {
    return await this.attempt('read all', at, async ({ folder, judge }) => {
      await judge.readAll(await folder.now())
      return true
    })
  }

  /** Does something that may fail as the world fails. @returns undefined if it did */
  async attempt<T>(
    name: string,
    at: FolderWriteCapability,
    work: (place: Workplace) => Promise<T>,
  ): Promise<T | undefined> {
    const { world } = this.#options
    const deed = this.beginDeed()
    world.network.note(`begin ${deed.who} ${name}`)
    let cancel: (() => void) | undefined
    const overdue = new Promise<never>((_, reject) => {
      cancel = world.clock.after(LIMIT_MS, () => {
        reject(new StuckError(`${deed.who}: ${name} takes too long`))
      })
    })
    let outcome = 'ok'
    try {
      return await Promise.race([this.working(at, deed, work), overdue])
    } catch (error) {
      outcome = this.judgeError(name, error)
      return undefined
    } finally {
      cancel?.()
      world.network.note(`end ${deed.who} ${name}: ${outcome}`)
      this.count(`${name} ${outcome}`)
    }
  }

  beginDeed(): Deed {
    return new Deed(this.device.name, this.#options.nowMs())
  }

  /** Does something with a folder for as long as the device's process lives. @throws DeviceCrash */
  async working<T>(
    at: FolderWriteCapability,
    deed: Deed,
    work: (place: Workplace) => Promise<T>,
  ): Promise<T> {
    const slot = slotKeyOf(at.writeKey)
    const judge = this.judges.of(slot)
    return await deeds.run(deed, async () =>
      this.device.use(at, async (folder) => await work({ folder, slot, judge, deed })),
    )
  }

  /** @returns how an attempt has ended that failed */
  judgeError(name: string, error: unknown): string {
    if (error instanceof DeviceCrash) return 'crashed'
    if (error instanceof Abandoned) return 'abandoned'
    if (error instanceof StuckError) throw error
    if (error instanceof HayloftError && (!this.#options.isCalm || MAY_FAIL.has(error.code))) {
      return error.code
    }
    const code = systemCodeOf(error)
    if (code === 'ENOSPC') return code
    const isViolation = error instanceof Violation
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.violations.push(`${this.device.name}, ${name}: ${isViolation ? error.message : trace}`)
    return 'violation'
  }

  count(outcome: string): void {
    this.#options.onOutcome(outcome)
  }

  /** Commits edits, of which the last attempt to write says what is expected. */
  async edit(
    { folder, slot, deed }: Workplace,
    edits: (view: FolderView) => Promise<Edit[]>,
  ): Promise<string> {
    const { durability } = await folder.edit(edits)
    if (durability !== 'unchanged' && deed.writeOf(slot)?.commit === undefined) {
      throw new Violation('a change was stored that nobody made')
    }
    return durability
  }

  async #putContents(
    folder: FolderWriter,
    actions: readonly FolderAction[],
  ): Promise<Map<Data, NewVersion>> {
    const { contents } = this.judges
    const versions = new Map<Data, NewVersion>()
    for (const action of actions) {
      if (!('data' in action)) continue
      const { text, mtimeMs } = action.data
      const version = await folder.putFile(sourceOf(contents.bytesOf(text)), { mtimeMs })
      contents.remember(text, version)
      versions.set(action.data, version)
    }
    return versions
  }

  async #editsOf(
    view: FolderView,
    { judge, slot, deed }: Workplace,
    { actions, versions }: { actions: readonly FolderAction[]; versions: Map<Data, NewVersion> },
  ): Promise<Edit[]> {
    const write = deed.writeOf(slot)
    const visible = await judge.compare(view, write?.base.heads ?? [])
    // What a second action of a commit meets of a conflict is what the first one left, not what is shown.
    const possible = hasConflict(visible) ? actions.slice(0, 1) : actions
    const chosen = possible.map((action): FolderAction => {
      if (action.kind !== 'put-over-shown' && action.kind !== 'put-over-seen') return action
      const { path, data } = action
      return nameAt(visible, path).isDirectory ? { kind: 'put', path, data } : action
    })
    this.world.network.note(`  ${deed.who} wants ${JSON.stringify(chosen)}`)
    const edits: Edit[] = []
    for (const action of chosen) edits.push(await editOf(view, action, versions))
    const expected = unlessRefused(() => chosen.reduce<readonly Draft[]>(perform, visible))
    if (write !== undefined) write.expected = () => expected
    return edits
  }
}

/** What a change leaves, or that it must be refused. */
export function unlessRefused(work: () => Expectation): Expectation {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refused) return 'refused'
    throw error
  }
}

const MAY_FAIL: ReadonlySet<string> = new Set([
  ...REFUSALS,
  'slot-contended',
  'link-cycle',
  'not-merged',
])

/** The most virtual time that one thing may take, with every timeout there is one after another. */
const LIMIT_MS = 30 * 60_000
