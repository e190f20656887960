import type { Clock } from '../../foundation/clock.ts'
import { deferred } from '../../foundation/concurrency.ts'
import type { SlotWatch } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../protocol/slot-key.ts'

/** Watches waiting at a node: with up to 64 slots each, some 20 MB of memory. */
const MAX_WATCHES = 1024
/**
 * Of one caller: 2,048 slots, and its stream has room for many other requests. One more ends the first: a caller that has
 * given up a watch has no way to say so, and must not be kept from another by it.
 */
const MAX_WATCHES_PER_CALLER = 32

/** Why waiting ended. */
export type WatchEnd = 'changed' | 'time-over' | 'closed' | 'caller-gone' | 'superseded'

/** Those who wait to hear that a slot has changed. Costs nothing but memory while nothing happens. */
export class SlotWatchers {
  readonly #clock: Clock
  readonly #bySlot = new Map<SlotKeyHex, Set<Watcher>>()
  /** The one that has waited longest first. */
  readonly #byCaller = new Map<NodeKey, Set<Watcher>>()
  #count = 0
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Tells those who wait for this slot that it has changed. */
  wake(slot: SlotKey): void {
    const hex = slotKeyHex(slot)
    for (const watcher of this.#bySlot.get(hex) ?? []) watcher.wake(hex)
  }

  /** Ends all watches, and those to come. */
  close(): void {
    this.#closed = true
    for (const watchers of this.#bySlot.values()) {
      for (const watcher of watchers) watcher.end('closed')
    }
  }

  /**
   * Starts to wait. From here on no change is missed, so what the slots are is to be looked up afterwards.
   * Dispose of it in the end.
   * @returns undefined where too many wait already
   */
  begin(
    caller: NodeKey,
    {
      watches,
      waitMs,
      signal,
    }: {
      readonly watches: readonly SlotWatch[]
      readonly waitMs: number
      readonly signal?: AbortSignal | undefined
    },
  ): Watcher | undefined {
    this.#supersede(caller)
    if (this.#count >= MAX_WATCHES) return undefined
    const watcher = new Watcher(watches, () => {
      this.#remove(caller, watcher)
      cancelTimer()
      signal?.removeEventListener('abort', onAbort)
    })
    const onAbort = (): void => {
      watcher.end('caller-gone')
    }
    const cancelTimer = this.#clock.after(waitMs, () => {
      watcher.end('time-over')
    })
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    if (this.#closed) watcher.end('closed')
    this.#count++
    addTo(this.#byCaller, caller, watcher)
    for (const hex of watcher.slots) addTo(this.#bySlot, hex, watcher)
    return watcher
  }

  #supersede(caller: NodeKey): void {
    const others = this.#byCaller.get(caller)
    const [oldest] = others ?? []
    if (oldest === undefined || (others?.size ?? 0) < MAX_WATCHES_PER_CALLER) return
    oldest.end('superseded')
    // At once, or many that come together would be more than there may be.
    oldest[Symbol.dispose]()
  }

  #remove(caller: NodeKey, watcher: Watcher): void {
    this.#count--
    removeFrom(this.#byCaller, caller, watcher)
    for (const hex of watcher.slots) removeFrom(this.#bySlot, hex, watcher)
  }
}

function addTo<K>(sets: Map<K, Set<Watcher>>, key: K, watcher: Watcher): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([watcher]))
  else set.add(watcher)
}

function removeFrom<K>(sets: Map<K, Set<Watcher>>, key: K, watcher: Watcher): void {
  const set = sets.get(key)
  set?.delete(watcher)
  if (set?.size === 0) sets.delete(key)
}

/** One who waits for some slots. */
export class Watcher implements Disposable {
  readonly #watches = new Map<SlotKeyHex, SlotWatch>()
  readonly #woken = new Set<SlotKeyHex>()
  #remove: (() => void) | undefined
  #end: Exclude<WatchEnd, 'changed'> | undefined
  #signal = deferred()

  constructor(watches: readonly SlotWatch[], remove: () => void) {
    for (const watch of watches) this.#watches.set(slotKeyHex(watch.slot), watch)
    this.#remove = remove
  }

  get slots(): Iterable<SlotKeyHex> {
    return this.#watches.keys()
  }

  /** Resolves when some slot has changed since the last {@link takeChanged}, or waiting is over. */
  async wait(): Promise<WatchEnd> {
    if (this.#woken.size === 0 && this.#end === undefined) await this.#signal.promise
    return this.#end ?? 'changed'
  }

  /** The watches of slots that have changed. */
  takeChanged(): SlotWatch[] {
    const changed = [...this.#woken].flatMap((hex) => this.#watches.get(hex) ?? [])
    this.#woken.clear()
    this.#signal = deferred()
    return changed
  }

  wake(slot: SlotKeyHex): void {
    this.#woken.add(slot)
    this.#signal.resolve()
  }

  end(why: Exclude<WatchEnd, 'changed'>): void {
    this.#end ??= why
    this.#signal.resolve()
  }

  [Symbol.dispose](): void {
    this.#remove?.()
    this.#remove = undefined
  }
}
