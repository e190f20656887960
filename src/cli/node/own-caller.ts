import type { GridNetwork } from '../../network/open.ts'
import type { Reply } from '../../protocol/messages.ts'
import {
  RefusedError,
  type Caller,
  type Refusal,
  type StorageService,
} from '../../protocol/network.ts'

/** A node cannot dial itself; what it is asked by its own home it answers without a network. */
export function callerWithSelf(network: GridNetwork, storage: StorageService): Caller {
  return {
    async call(node, request, options = {}) {
      if (node !== network.self) return await network.call(node, request, options)
      options.signal?.throwIfAborted()
      const reply: Reply | Refusal = await storage.handle(network.self, request, options.signal)
      if (reply.op === 'refused') throw new RefusedError(node, reply)
      // A service replies to what it was asked.
      return reply
    },
  }
}
