import { concatBytes } from '../foundation/bytes.ts'
import { arrayField, bytesField, checkBytes, integerField } from './cbor.ts'
import { MalformedMessageError, type Fields } from './cbor.ts'
import { requireNoBody } from './codec-parts.ts'
import { MAX_LEASE_S, MAX_SLOT_HEADS, MAX_SLOTS, MAX_WATCH_WAIT_S } from './limits.ts'
import type { ReplyOf, RequestOf, SlotPutOutcome } from './messages.ts'
import { SLOT_KEY_BYTES, slotKey, type SlotKey } from './slot-key.ts'
import { MAX_SLOT_RECORD_BYTES, MIN_SLOT_RECORD_BYTES, RECORD_DIGEST_BYTES } from './slot-record.ts'

/** The operations on slots. Records travel in bodies, one after another; headers say how long each is. */
export type SlotOp = 'slot-put' | 'slot-get' | 'slot-watch'

/** Values of fields 1, 2, … in order (an undefined one is left out), and the body. */
export type MessageParts = readonly [values: readonly unknown[], body: readonly Uint8Array[]]

const OUTCOMES: readonly SlotPutOutcome[] = [
  'stored',
  'have',
  'stale',
  'merge-first',
  'heads-differ',
  'expired',
  'quota',
  'full',
  'bad',
]

export function slotRequestParts(request: RequestOf<SlotOp>): MessageParts {
  switch (request.op) {
    case 'slot-put': {
      const { ifHeads } = request
      return [[request.leaseS, ifHeads && concatBytes(ifHeads)], [request.record]]
    }
    case 'slot-get':
      return [[concatBytes(request.slots), request.leaseS], []]
    case 'slot-watch': {
      const slots = concatBytes(request.watches.map(({ slot }) => slot))
      return [[slots, concatBytes(request.watches.map(({ known }) => known)), request.waitS], []]
    }
  }
}

/** @throws MalformedMessageError */
export function decodeSlotRequest(op: SlotOp, fields: Fields, body: Uint8Array): RequestOf<SlotOp> {
  switch (op) {
    case 'slot-put':
      return {
        op,
        leaseS: integerField(fields, 1, { max: MAX_LEASE_S }),
        ...(fields.has(2) && { ifHeads: digestsField(fields, 2, { max: MAX_SLOT_HEADS }) }),
        // Whether it is a record at all is what the node answers.
        record: checkBytes(body, 'The record', { min: 1, max: MAX_SLOT_RECORD_BYTES }),
      }
    case 'slot-get':
      return {
        op,
        slots: slotsField(fields, 1),
        ...(fields.has(2) && { leaseS: integerField(fields, 2, { max: MAX_LEASE_S }) }),
      }
    case 'slot-watch': {
      const slots = slotsField(fields, 1)
      const known = digestsField(fields, 2, { max: MAX_SLOTS })
      if (known.length !== slots.length) {
        throw new MalformedMessageError('A watch has another number of slots than of digests.')
      }
      return {
        op,
        watches: slots.map((slot, at) => ({ slot, known: known[at] as Uint8Array })),
        waitS: integerField(fields, 3, { max: MAX_WATCH_WAIT_S }),
      }
    }
  }
}

export function slotReplyParts(reply: ReplyOf<SlotOp>): MessageParts {
  switch (reply.op) {
    case 'slot-put':
      return [[OUTCOMES.indexOf(reply.outcome), lengthsOf(reply.heads)], reply.heads]
    case 'slot-get': {
      const unleased = reply.unleased.length === 0 ? undefined : reply.unleased
      return [[reply.heads.map(lengthsOf), unleased], reply.heads.flat()]
    }
    case 'slot-watch': {
      const { changed } = reply
      const slots = concatBytes(changed.map(({ slot }) => slot))
      const records = changed.flatMap(({ heads }) => heads)
      return [[slots, changed.map(({ heads }) => lengthsOf(heads))], records]
    }
  }
}

/** @throws MalformedMessageError */
export function decodeSlotReply(op: SlotOp, fields: Fields, body: Uint8Array): ReplyOf<SlotOp> {
  const records = new RecordCutter(body)
  const reply = decodeReplyFields(op, fields, records)
  records.finish()
  return reply
}

function decodeReplyFields(op: SlotOp, fields: Fields, records: RecordCutter): ReplyOf<SlotOp> {
  switch (op) {
    case 'slot-put': {
      const outcome = OUTCOMES[integerField(fields, 1, { max: OUTCOMES.length - 1 })]
      if (outcome === undefined) throw new MalformedMessageError('The outcome is not known.')
      return { op, outcome, heads: records.cut(fields.get(2)) }
    }
    case 'slot-get': {
      const heads = arrayField(fields, 1, { max: MAX_SLOTS }).map((item) => records.cut(item))
      return { op, heads, unleased: fields.has(2) ? positionsField(fields, 2, heads.length) : [] }
    }
    case 'slot-watch': {
      const slots = slotsField(fields, 1)
      const heads = arrayField(fields, 2, { max: MAX_SLOTS })
      if (heads.length !== slots.length) {
        throw new MalformedMessageError('A slot has changed without telling its heads.')
      }
      return { op, changed: slots.map((slot, at) => ({ slot, heads: records.cut(heads[at]) })) }
    }
  }
}

/** Cuts a body into the records whose lengths the header tells, in order. */
class RecordCutter {
  readonly #body: Uint8Array
  #offset = 0

  constructor(body: Uint8Array) {
    this.#body = body
  }

  /** The heads of one slot. @throws MalformedMessageError */
  cut(lengths: unknown): Uint8Array[] {
    const fields: Fields = new Map([[1, lengths]])
    return arrayField(fields, 1, { max: MAX_SLOT_HEADS }).map((item) => {
      const length = integerField(new Map([[1, item]]), 1, {
        min: MIN_SLOT_RECORD_BYTES,
        max: MAX_SLOT_RECORD_BYTES,
      })
      const start = this.#offset
      this.#offset += length
      if (this.#offset > this.#body.length) {
        throw new MalformedMessageError('The records do not fit the body.')
      }
      return this.#body.subarray(start, this.#offset)
    })
  }

  finish(): void {
    requireNoBody(this.#body.subarray(this.#offset))
  }
}

function lengthsOf(records: readonly Uint8Array[]): number[] {
  return records.map(({ length }) => length)
}

function slotsField(fields: Fields, key: number): SlotKey[] {
  return splitField(fields, key, { size: SLOT_KEY_BYTES, max: MAX_SLOTS }).map(slotKey)
}

function digestsField(fields: Fields, key: number, { max }: { max: number }): Uint8Array[] {
  return splitField(fields, key, { size: RECORD_DIGEST_BYTES, max })
}

function splitField(
  fields: Fields,
  key: number,
  { size, max }: { size: number; max: number },
): Uint8Array[] {
  const bytes = bytesField(fields, key, { max: size * max })
  if (bytes.length % size !== 0) throw new MalformedMessageError(`Field ${key} is cut short.`)
  return Array.from({ length: bytes.length / size }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
}

/** Ascending and not empty: where there are none, the field is absent. */
export function positionsField(fields: Fields, key: number, end: number): number[] {
  const items = arrayField(fields, key, { max: end })
  if (items.length === 0) throw new MalformedMessageError(`Field ${key} must not be empty.`)
  let min = 0
  return items.map((item) => {
    const position = integerField(new Map([[key, item]]), key, { min, max: end - 1 })
    min = position + 1
    return position
  })
}
