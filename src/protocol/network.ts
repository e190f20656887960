import { HayloftError } from '../foundation/error.ts'
import type { Op, ReplyOf, Reply, Request, RequestOf } from './messages.ts'
import type { NodeKey } from './node-key.ts'

/** The narrow face of a network that a client needs: ask one node one thing. */
export interface Caller {
  /**
   * Sends one request and resolves with its reply. Requests to one node are pipelined and answered in any order.
   * An aborted call rejects with the signal's reason at once; the node may still carry it out.
   * @throws UnreachableError the node cannot be reached, or the connection broke before the reply
   * @throws RefusedError the node answered, but not with what was asked
   */
  call<O extends Op>(
    node: NodeKey,
    request: RequestOf<O>,
    options?: CallOptions,
  ): Promise<ReplyOf<O>>
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** The reply will hardly be long, though for all that the request says it may be: it need not take a way of its own. */
  readonly expectShort?: boolean | undefined
}

/** What answers requests: a storage node. Never rejects on account of a request; that is a reply. */
export interface StorageService {
  /** `caller` is the authenticated peer. Fires `signal` when the caller is gone. */
  handle(caller: NodeKey, request: Request, signal?: AbortSignal): Promise<Reply | Refusal>
}

/** A place on the grid's network: calls others and may serve. The real one is libp2p, another is simulated. */
export interface Network extends Caller, AsyncDisposable {
  readonly self: NodeKey
  /** Starts to answer requests of admitted peers; at most one service a network. */
  serve(service: StorageService): void
}

/**
 * Why a node gives no ordinary reply. `malformed`: the request breaks the protocol. `busy`: it is at a limit, try
 * again. `internal`: it failed (its disk, say). `unserved`: it stores nothing for others.
 */
export type RefusalReason = 'malformed' | 'busy' | 'internal' | 'unserved'

export interface Refusal {
  readonly op: 'refused'
  readonly reason: RefusalReason
  /** A sentence for the operator's eyes; at most 200 characters. */
  readonly message: string
}

export class UnreachableError extends HayloftError {
  readonly code = 'node-unreachable'
  readonly node: NodeKey

  constructor(node: NodeKey, why: string, options?: ErrorOptions) {
    super(`Storage node ${node.slice(0, 12)}… cannot be reached: ${why}.`, options)
    this.node = node
  }
}

export class RefusedError extends HayloftError {
  readonly code = 'node-refused'
  readonly node: NodeKey
  readonly reason: RefusalReason

  constructor(node: NodeKey, refusal: Refusal) {
    super(`Storage node ${node.slice(0, 12)}… refused a request: ${refusal.message}`)
    this.node = node
    this.reason = refusal.reason
  }
}
