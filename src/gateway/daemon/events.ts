import type { SyncWork } from '../sync/work.ts'

/** Something that happened, for whoever watches the daemon. */
export type DaemonEvent =
  | {
      readonly type: 'sync-status'
      readonly data: { readonly id: string; readonly directory: string; readonly state: string }
    }
  | {
      readonly type: 'sync-change'
      readonly data: {
        readonly id: string
        readonly kind: 'sent' | 'received' | 'failed'
        readonly path: string
        readonly what: string
      }
    }
  /** At most once a second while much is read, sent or fetched. */
  | { readonly type: 'sync-progress'; readonly data: { readonly id: string } & SyncWork }
  | {
      readonly type: 'progress'
      readonly data: {
        readonly operation: string
        readonly doneBytes: number
        readonly totalBytes?: number | undefined
      }
    }
  | { readonly type: 'rollback'; readonly data: object }
  /** Events were dropped between the last one and this: look at everything anew. */
  | { readonly type: 'gap'; readonly data: object }

export interface NumberedEvent {
  /** One more than that of the event before, from 1 on in each process. */
  readonly id: number
  readonly event: DaemonEvent
}

/** Kept for those who come back after a broken connection. */
const MAX_KEPT = 1000
/** Waiting for one who is slow to read; then they get a gap. */
const MAX_WAITING = 500

/** Where events meet those who watch. Whoever is slow loses events, and is told so; nobody holds up anybody. */
export class EventHub {
  readonly #kept: NumberedEvent[] = []
  readonly #watchers = new Set<(event: NumberedEvent) => void>()
  #lastId = 0

  publish(event: DaemonEvent): void {
    const numbered = { id: ++this.#lastId, event }
    this.#kept.push(numbered)
    if (this.#kept.length > MAX_KEPT) this.#kept.shift()
    for (const watcher of this.#watchers) watcher(numbered)
  }

  /**
   * Events from now on, or those after the one of number `afterId` first, until `signal` fires. A gap tells that some of
   * them are not known any more.
   */
  async *watch(signal: AbortSignal, afterId = this.#lastId): AsyncGenerator<NumberedEvent> {
    const waiting: NumberedEvent[] = []
    let wake = (): void => undefined
    const push = (numbered: NumberedEvent): void => {
      waiting.push(numbered)
      if (waiting.length > MAX_WAITING) waiting.splice(0, waiting.length, gapAt(numbered.id))
      wake()
    }
    const onAbort = (): void => wake()
    // A number of another process, which had come further, is as good as none.
    const isOfBefore = afterId > this.#lastId || afterId < (this.#kept[0]?.id ?? 1) - 1
    if (isOfBefore) push(gapAt(this.#lastId))
    else for (const numbered of this.#kept) if (numbered.id > afterId) push(numbered)
    this.#watchers.add(push)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        const next = waiting.shift()
        if (next !== undefined) yield next
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#watchers.delete(push)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

function gapAt(id: number): NumberedEvent {
  return { id, event: { type: 'gap', data: {} } }
}
