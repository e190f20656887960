import { linkSignals } from '../../foundation/abort.ts'
import { MAX_IDS } from '../../protocol/limits.ts'
import type { Found, Frontier } from './frontier.ts'

/**
 * Looks at all that a frontier has and comes to have, in batches: large enough that a question about one of them costs
 * next to nothing, several at a time, so that the nodes are asked about one while another is looked into.
 * @param lookAt adds to the frontier what it finds below a batch, as it finds it
 */
export async function crawl(
  frontier: Frontier,
  lookAt: (batch: readonly Found[], signal: AbortSignal) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  using stop = linkSignals(signal)
  /** Batches under way, with how far back each lies. */
  const running = new Map<Promise<void>, number>()
  const start = (batch: readonly Found[]): void => {
    if (batch.length === 0) return
    const looking = lookAt(batch, stop.signal).finally(() => {
      running.delete(looking)
    })
    // Its failure is thrown by the race below; it must not count as unhandled before.
    looking.catch(() => undefined)
    running.set(looking, batch[0]?.past ?? 0)
  }
  /** What the present may yet lead to must not be taken for the past. */
  const isReady = (): boolean => {
    const { nearest } = frontier
    if (nearest === undefined || running.size >= BATCHES_AT_ONCE) return false
    if (running.size === 0) return true
    return frontier.length >= ENOUGH && nearest <= Math.min(...running.values())
  }
  try {
    for (;;) {
      stop.signal.throwIfAborted()
      if (isReady()) start(frontier.take(MAX_IDS))
      else if (running.size === 0) return
      else await Promise.race([...running.keys(), frontier.changed])
    }
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(running.keys())
    throw error
  }
}

const BATCHES_AT_ONCE = 3
/** So many are worth a batch of their own while another is under way. */
const ENOUGH = 256
