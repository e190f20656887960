/** Time as a parameter: real in the program, simulated where a run must replay from its seed. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC; may jump when the machine's clock is set. For leases and records. */
  nowMs(): number
  /** Milliseconds from an arbitrary start; never goes back. For measuring how long something took. */
  monotonicMs(): number
  /** Runs `action` once, `delayMs` from now, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void
}

/** Resolves after `delayMs`; rejects with the signal's reason if that fires first. */
export async function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
