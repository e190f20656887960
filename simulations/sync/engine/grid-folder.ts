import { sleep, type Clock } from '../../../src/foundation/clock.ts'
import { HayloftError } from '../../../src/foundation/error.ts'
import type { FolderState } from '../../../src/folders/state.ts'
import type { FolderNow, FolderView } from '../../../src/folders/service/view.ts'
import type { FolderWriter } from '../../../src/folders/service/folder.ts'
import type { SyncFolder } from '../../../src/gateway/sync/engine/context.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import type { SeededRandomness } from '../../randomness.ts'
import type { SharedFolder } from '../folder.ts'
import type { Life } from './life.ts'

/** The grid cannot be reached, or did not answer. */
class AwayError extends HayloftError {
  readonly code = 'simulated-away'
}

/** What a device remembers of a folder, through crashes. */
export class FolderMemory {
  heads: readonly FolderState[]

  constructor(heads: readonly FolderState[]) {
    this.heads = heads
  }
}

export interface GridFolderOptions {
  readonly shared: SharedFolder
  readonly memory: FolderMemory
  readonly life: Life
  readonly clock: Clock
  readonly randomness: SeededRandomness
  readonly device: string
  /** How likely it is that a call fails, and that what nodes tell is old. */
  readonly weather: () => { readonly failing: number; readonly stale: number }
  readonly note: (text: string) => void
}

/** The folder as a process of a device has it: late, old or away by the weather, but real. */
export function gridFolder(options: GridFolderOptions): SyncFolder {
  const folder = new GridFolder(options)
  return {
    power: 'write',
    now: async () => await folder.now(),
    watch: (signal) => folder.watch(signal),
    edit: async (edits) => await folder.edit(edits),
    putFile: async (source, about) => await folder.putFile(source, about),
  }
}

class GridFolder {
  readonly #options: GridFolderOptions
  readonly #tag: TagHex

  constructor(options: GridFolderOptions) {
    this.#options = options
    this.#tag = options.device.charCodeAt(0).toString(16).repeat(8) as TagHex
  }

  async now(): Promise<FolderNow> {
    return await this.#call(async () => {
      this.#look()
      return await this.#view()
    })
  }

  async *watch(signal: AbortSignal): AsyncGenerator<FolderNow> {
    const { clock, shared, randomness } = this.#options
    let seen = ''
    for (;;) {
      await sleep(clock, randomness.between(500, 8_000), signal)
      const heads = shared.heads.map(({ clock: at }) => JSON.stringify([...at])).join(' ')
      if (heads === seen) continue
      seen = heads
      yield await this.#view()
    }
  }

  async edit(edits: Parameters<FolderWriter['edit']>[0]): ReturnType<FolderWriter['edit']> {
    const { shared, memory, device, note, randomness, weather } = this.#options
    await this.#call(async () => {
      this.#look()
      // A process that dies in the middle has published or has not.
      memory.heads = await shared.commit(
        memory.heads,
        async (view) => (typeof edits === 'function' ? await edits(view as FolderView) : edits),
        { tag: this.#tag, device },
      )
      note(`${device} commits`)
    })
    if (randomness.chance(weather().failing)) throw new AwayError('no answer to a commit')
    return { durability: 'durable', sentBytes: 0, joined: 1, conflicts: [] }
  }

  async putFile(
    source: Parameters<FolderWriter['putFile']>[0],
    about: Parameters<FolderWriter['putFile']>[1],
  ): ReturnType<FolderWriter['putFile']> {
    const parts: Uint8Array[] = []
    for await (const part of source) parts.push(part)
    return await this.#call(() => this.#options.shared.put(Buffer.concat(parts), about))
  }

  async #view(): Promise<FolderNow> {
    const { shared, memory } = this.#options
    const view = (await shared.view(memory.heads)) as FolderNow
    return {
      ...view,
      readEntry: async (shown, options) => {
        const { length } = await this.#call(() => shared.read(shown))
        const fetch = async (block: Uint8Array): Promise<Uint8Array> =>
          await this.#call(() => block)
        return { sizeBytes: length, chunks: shared.readBlocks(shown, options, fetch) }
      },
    }
  }

  #look(): void {
    const { shared, memory, randomness, weather } = this.#options
    if (randomness.chance(weather().stale)) return
    memory.heads = [...new Set([...memory.heads, ...shared.heads])]
  }

  async #call<T>(work: () => T | Promise<T>): Promise<T> {
    const { life, clock, randomness, weather } = this.#options
    if (randomness.chance(0.2)) await sleep(clock, randomness.below(2_000))
    if (randomness.chance(weather().failing)) throw new AwayError('the grid is away')
    return await life.step(work)
  }
}
