import type { Reply, Request } from '../../src/protocol/messages.ts'
import { testRecord, testSlot } from '../support/slot-records.ts'

const [one, two] = [testSlot(1), testSlot(2)]
const record = testRecord(one, { a: 1, b: 2 })
const sibling = testRecord(one, { c: 3 })
const digest = new Uint8Array(32).fill(7)

/** A request of each operation on slots, and a reply that it might get. */
export const slotSamples: { request: Request; reply: Reply }[] = [
  {
    request: { op: 'slot-put', record, leaseS: 60, ifHeads: [digest] },
    reply: { op: 'slot-put', outcome: 'merge-first', heads: [record, sibling] },
  },
  {
    request: { op: 'slot-get', slots: [one.slot, two.slot], leaseS: 60 },
    reply: { op: 'slot-get', heads: [[record, sibling], []], unleased: [0] },
  },
  {
    request: { op: 'slot-watch', watches: [{ slot: one.slot, known: digest }], waitS: 60 },
    reply: { op: 'slot-watch', changed: [{ slot: one.slot, heads: [sibling] }] },
  },
]
