import { AssertionError, messageOf, systemCodeOf } from '../foundation/error.ts'
import type { Refusal, RefusalReason } from '../protocol/network.ts'
import { isNoSpace } from './disk.ts'

/** What a caller is told of a request that failed: nothing of this node's files. */
export function refusalOf(error: unknown, signal: AbortSignal | undefined): Refusal {
  if (signal?.aborted === true) return refusal('busy', CALLER_IS_GONE)
  const code = systemCodeOf(error)
  if (isNoSpace(code)) return refusal('internal', 'The disk of this node is full.')
  if (code === 'EROFS') return refusal('internal', 'The disk of this node is read-only.')
  const what = error instanceof AssertionError ? `a bug: ${messageOf(error)}` : (code ?? 'its disk')
  return refusal('internal', `This node failed (${what}).`)
}

export function refusal(reason: RefusalReason, message: string): Refusal {
  return { op: 'refused', reason, message: message.slice(0, MAX_REFUSAL_CHARACTERS) }
}

/** As the protocol has it. */
const MAX_REFUSAL_CHARACTERS = 200
export const SHUTTING_DOWN = 'This node is shutting down.'
export const CALLER_IS_GONE = 'The caller is gone.'
