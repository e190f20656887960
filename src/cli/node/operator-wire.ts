import type { Failure } from '../failures.ts'

/**
 * How a command talks to the node that runs in the same home: over TCP on the loopback interface, in lines of JSON. A
 * caller shows the key that the node left in `running.json`, which only its user can read, and names one order; the node
 * answers with events and, in the end, a result or a failure. libp2p cannot serve here: the command has the node's own
 * identity, and a peer cannot call itself. Nor can the disk: it has one process at a time.
 */
export type OperatorRequest =
  | { readonly op: 'status' }
  | { readonly op: 'doctor' }
  | { readonly op: 'scrub' }
  | { readonly op: 'collect' }
  | { readonly op: 'drain' }
  | { readonly op: 'export'; readonly dir: string; readonly destination?: string }
  | { readonly op: 'import'; readonly dir: string }

/** What the node is told first. */
export interface OperatorCall {
  readonly key: string
  readonly request: OperatorRequest
}

/** What it says, a line each. */
export type OperatorLine =
  | { readonly kind: 'event'; readonly event: unknown }
  | { readonly kind: 'result'; readonly result: unknown }
  | ({ readonly kind: 'failure' } & Failure)

/** A request holds a path or two. */
export const MAX_CALL_BYTES = 64 * 1024
/** The longest that a caller may take to say what it wants. */
export const CALL_TIMEOUT_MS = 5_000
/** Commands at once. */
export const MAX_CALLERS = 16
