import { sleep } from '../../src/foundation/clock.ts'
import { HayloftError } from '../../src/foundation/error.ts'
import type { SlotState } from '../../src/grid/slots/client.ts'
import type { Actor } from './actor.ts'
import { DeviceCrash } from './device.ts'

/** Has somebody watch the folder that all work in, for as long as their device runs, and again when it runs again. */
export class Watcher {
  readonly actor: Actor
  readonly #ending = new AbortController()
  #told: SlotState | undefined

  constructor(actor: Actor) {
    this.actor = actor
  }

  /** The state that was told last. */
  get told(): SlotState | undefined {
    return this.#told
  }

  start(): void {
    void this.#run()
  }

  stop(): void {
    this.#ending.abort(new Error('nobody watches any more'))
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending
    const { clock } = this.actor.world
    while (!signal.aborted) {
      if (this.actor.device.isRunning) await this.#watch(signal)
      await sleep(clock, PAUSE_MS)
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { actor } = this
    const deed = actor.beginDeed()
    try {
      await actor.working(actor.root, deed, async ({ folder, judge }) => {
        for await (const view of folder.watch(signal)) {
          const state = deed.watched
          if (state === undefined || signal.aborted) continue
          actor.checkRollback(state)
          await judge.compare(view, state.heads)
          this.#told = state
          actor.count('change told')
        }
      })
    } catch (error) {
      // A restored backup starts from less; what it was told before counts no more.
      if (error instanceof DeviceCrash) this.#told = undefined
      actor.count(`watch ${signal.aborted ? 'ended' : this.#outcomeOf(error)}`)
    }
  }

  /** Nodes may stop and start at any time, so that what is told of cannot be read just then. */
  #outcomeOf(error: unknown): string {
    return error instanceof HayloftError ? error.code : this.actor.judgeError('watch', error)
  }
}

const PAUSE_MS = 2_000
