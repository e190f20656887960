import type { Reply } from '../../protocol/messages.ts'
import type { Refusal } from '../../protocol/network.ts'
import { CALLER_IS_GONE, refusal, SHUTTING_DOWN } from '../refusals.ts'
import type { SlotService } from './slot-service.ts'

/** What a caller is told whose watch has ended. */
export function watchReply(outcome: Awaited<ReturnType<SlotService['watch']>>): Reply | Refusal {
  switch (outcome) {
    case 'superseded':
      return refusal('busy', 'Another watch of this caller has taken the place of this one.')
    case 'too-many':
      return refusal('busy', 'Too many watches wait at this node already.')
    case 'closed':
      return refusal('busy', SHUTTING_DOWN)
    case 'caller-gone':
      return refusal('busy', CALLER_IS_GONE)
  }
  return outcome
}
