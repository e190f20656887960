import type { FolderWriteCapability } from '../../src/capabilities/capability.ts'
import { HayloftError, systemCodeOf } from '../../src/foundation/error.ts'
import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import type { FolderWriter } from '../../src/folders/service/folder.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import type { SlotState } from '../../src/grid/slots/client.ts'
import { sourceOf } from '../bytes.ts'
import { StuckError } from '../clock.ts'
import { nameAt, type Data, type Draft, type Element } from '../merge/oracle.ts'
import { perform, Refused } from '../merge/user.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { World } from '../world.ts'
import { DeviceCrash, type SimulatedDevice } from './device.ts'
import { hasConflict, type FolderJudge } from './judge.ts'
import { deeds, REFUSALS, Violation, type Deed } from './observer.ts'
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
  readonly judge: FolderJudge
  readonly device: SimulatedDevice
  readonly folder: FolderWriteCapability
  /** Called with how each thing that was done has ended. */
  readonly onOutcome: (outcome: string) => void
  readonly timeMs: () => number
  /** Nothing fails but what nobody can do, and what others do at the same time. */
  readonly isCalm: boolean
  /** Whether nodes have lost or hidden anything by now, so that somebody may be told. */
  readonly mayTellRollback: () => boolean
}

/** Whoever sits at a device: looks at the folder and changes it, and knows what must come of it. */
export class Actor {
  readonly device: SimulatedDevice
  readonly violations: string[] = []
  readonly #options: ActorOptions
  /** What was shown last. */
  #seen: readonly Element[] = []

  constructor(options: ActorOptions) {
    this.#options = options
    this.device = options.device
  }

  /** Makes the folder. */
  async make(): Promise<boolean | undefined> {
    return await this.attempt('make', async (_, deed) => {
      await this.device.folders.ensure(this.#options.folder)
      if (deed.commit !== undefined) this.#options.judge.ledger.acknowledge(deed.commit)
      return true
    })
  }

  /** Reads the folder. @returns undefined if that failed as it may */
  async look(): Promise<Sight | undefined> {
    return await this.attempt('look', async (folder, deed) => {
      const { judge } = this.#options
      const view = await folder.now()
      const state = deed.read
      if (state === undefined) throw new Violation('a folder was shown that nobody has read')
      if (state.rollback !== undefined && !this.#options.mayTellRollback()) {
        throw new Violation('a rollback was told where no node has lost anything')
      }
      const visible = await judge.compare(view, state.heads)
      this.#seen = visible
      if (hasConflict(visible)) this.#options.onOutcome('conflict seen')
      const digest = await judge.digestOf(view, state.heads)
      return { state, visible, digest }
    })
  }

  /** Changes the folder. @returns how sure it is that the change stays; undefined if it failed as it may */
  async change(randomness: SeededRandomness): Promise<string | undefined> {
    const { timeMs } = this.#options
    const device = this.device.name
    const actions = drawActions(randomness, { seen: this.#seen, device, timeMs })
    return await this.attempt('change', async (folder, deed) => {
      const versions = await this.#putContents(folder, actions)
      return await this.#edit(folder, deed, async (view) =>
        this.#editsOf(view, deed, { actions, versions }),
      )
    })
  }

  /** Joins what was written at once, and changes nothing. */
  async join(): Promise<string | undefined> {
    return await this.attempt('join', async (folder, deed) =>
      this.#edit(folder, deed, async (view) => {
        await this.#options.judge.compare(view, deed.base?.heads ?? [])
        return []
      }),
    )
  }

  /** Reads every file to its end. */
  async readAll(): Promise<boolean | undefined> {
    return await this.attempt('read all', async (folder) => {
      await this.#options.judge.readAll(await folder.now())
      return true
    })
  }

  /** Does something that may fail as the world fails. @returns undefined if it did */
  async attempt<T>(
    name: string,
    work: (folder: FolderWriter, deed: Deed) => Promise<T>,
  ): Promise<T | undefined> {
    const { world, folder, onOutcome } = this.#options
    const deed: Deed = { who: this.device.name }
    world.network.note(`begin ${deed.who} ${name}`)
    let cancel: (() => void) | undefined
    const overdue = new Promise<never>((_, reject) => {
      cancel = world.clock.after(LIMIT_MS, () => {
        reject(new StuckError(`${deed.who}: ${name} takes too long`))
      })
    })
    let outcome = 'ok'
    try {
      const working = deeds.run(
        deed,
        async () => await this.device.use(folder, async (opened) => await work(opened, deed)),
      )
      return await Promise.race([working, overdue])
    } catch (error) {
      outcome = this.#judgeError(name, error)
      return undefined
    } finally {
      cancel?.()
      world.network.note(`end ${deed.who} ${name}: ${outcome}`)
      onOutcome(`${name} ${outcome}`)
    }
  }

  async #edit(
    folder: FolderWriter,
    deed: Deed,
    edits: (view: FolderView) => Promise<Edit[]>,
  ): Promise<string> {
    const { durability } = await folder.edit(edits)
    if (durability === 'unchanged') return durability
    if (deed.commit === undefined) throw new Violation('a change was stored that nobody made')
    this.#options.judge.ledger.acknowledge(deed.commit)
    return durability
  }

  async #putContents(
    folder: FolderWriter,
    actions: readonly FolderAction[],
  ): Promise<Map<Data, NewVersion>> {
    const { contents } = this.#options.judge
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
    deed: Deed,
    { actions, versions }: { actions: readonly FolderAction[]; versions: Map<Data, NewVersion> },
  ): Promise<Edit[]> {
    const { judge, world } = this.#options
    const visible = await judge.compare(view, deed.base?.heads ?? [])
    // What a second action of a commit meets of a conflict is what the first one left, not what is shown.
    const possible = hasConflict(visible) ? actions.slice(0, 1) : actions
    const chosen = possible.map((action): FolderAction => {
      if (action.kind !== 'put-over-shown' && action.kind !== 'put-over-seen') return action
      const { path, data } = action
      return nameAt(visible, path).isDirectory ? { kind: 'put', path, data } : action
    })
    world.network.note(`  ${deed.who} wants ${JSON.stringify(chosen)}`)
    const edits: Edit[] = []
    for (const action of chosen) edits.push(await editOf(view, action, versions))
    deed.expected = expectationOf(visible, chosen)
    return edits
  }

  #judgeError(name: string, error: unknown): string {
    if (error instanceof DeviceCrash) return 'crashed'
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
}

function expectationOf(
  visible: readonly Element[],
  actions: readonly FolderAction[],
): readonly Draft[] | 'refused' {
  try {
    return actions.reduce<Draft[]>(perform, [...visible])
  } catch (error) {
    if (error instanceof Refused) return 'refused'
    throw error
  }
}

const MAY_FAIL: ReadonlySet<string> = new Set([...REFUSALS, 'slot-contended'])

/** The most virtual time that one thing may take, with every timeout there is one after another. */
const LIMIT_MS = 30 * 60_000
