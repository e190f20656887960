import { MAX_ACCOUNTS, MAX_CIPHERTEXT_BYTES, MAX_SLOT_HEADS } from '../protocol/limits.ts'
import type { Request } from '../protocol/messages.ts'
import { MAX_SLOT_RECORD_BYTES } from '../protocol/slot-record.ts'

/** An upper bound of what a request and its reply take. */
export function memoryFor(request: Request): number {
  switch (request.op) {
    case 'hello':
      return 1
    case 'stat':
      return request.accounts === true ? MAX_ACCOUNTS * BYTES_PER_ID : 1
    case 'put':
    case 'transfer':
      return request.manifest.length + request.shard.length
    case 'get':
      return MAX_CIPHERTEXT_BYTES
    case 'audit':
      return AUDIT_CONCURRENCY * MAX_CIPHERTEXT_BYTES
    case 'have':
    case 'lease':
    case 'drop':
      return Math.max(1, request.ids.length * BYTES_PER_ID)
    case 'slot-put':
    case 'slot-transfer':
      return SLOT_BYTES
    case 'slot-get':
      return Math.max(1, request.slots.length * SLOT_BYTES)
    case 'slot-watch':
      return Math.max(1, request.watches.length * SLOT_BYTES)
  }
}

/** Memory for looking up one id. */
const BYTES_PER_ID = 512
/** All heads that a slot can have. */
const SLOT_BYTES = MAX_SLOT_HEADS * MAX_SLOT_RECORD_BYTES
/** Shares read side by side for one audit. */
export const AUDIT_CONCURRENCY = 4
