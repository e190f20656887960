import { linkSignals } from '../../foundation/abort.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { Op, ReplyOf, RequestOf } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { NodeMonitor } from './monitor.ts'

/** A node that fell silent over a request. */
export class SilentNodeError extends HayloftError {
  readonly code = 'node-silent'
  readonly node: NodeKey

  constructor(node: NodeKey) {
    super(`Storage node ${node.slice(0, 12)}… does not answer.`)
    this.node = node
  }
}

/** Calls a node that nobody else can stand in for, and gives up once it is suspect. @throws SilentNodeError too */
export async function callUnlessSilent<O extends Op>(
  monitor: NodeMonitor,
  node: NodeKey,
  request: RequestOf<O>,
  signal?: AbortSignal,
): Promise<ReplyOf<O>> {
  using silence = linkSignals(signal)
  return await monitor.call<O>(node, request, {
    signal: silence.signal,
    onSuspect: () => {
      silence.abort(new SilentNodeError(node))
    },
  })
}
