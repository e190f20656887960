/**
 * The root of every failure that Hayloft reports on purpose: something outside the program went wrong.
 * `code` is stable and meant for programs, `message` is a sentence for people that says what happened and,
 * where there is something to do, what to do. Neither ever holds a capability, key or token.
 * A bug in Hayloft itself is an {@link AssertionError} instead.
 */
export abstract class HayloftError extends Error {
  abstract readonly code: string

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A broken promise of our own code: never the doing of a peer, a disk or a user. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Checks what only our own bug can break; stays on in production. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}

/** The system's error code (`ENOENT`, `ENOSPC`, …) of a thrown value, if it has one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}
