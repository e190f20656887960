import {
  arrayField,
  bytesField,
  checkBytes,
  decodeFields,
  encodeFields,
  integerField,
} from './cbor.ts'
import { MalformedMessageError, type Fields } from './cbor.ts'
import {
  decodeRefusal,
  encodeRefusal,
  indexField,
  joinIds,
  MAX_MANIFEST_BYTES,
  requireNoBody,
  sizeField,
  splitIds,
} from './codec-parts.ts'
import { MAX_AUDIT_LEAVES, MAX_BODY_BYTES, MAX_IDS, MAX_LEASE_S, MAX_SHARES } from './limits.ts'
import type { Op, PutOutcome, Reply, ReplyOf, Request } from './messages.ts'
import type { Refusal } from './network.ts'
import {
  decodeStat,
  decodeTransferReply,
  decodeTransferRequest,
  statReplyParts,
  transferReplyParts,
  transferRequestParts,
} from './transfer-codec.ts'
import {
  auditReplyParts,
  decodeAuditReply,
  decodeGet,
  decodeGetReply,
  decodeHoldings,
  decodeLeafName,
} from './share-codec.ts'
import {
  decodeSlotReply,
  decodeSlotRequest,
  slotReplyParts,
  slotRequestParts,
} from './slot-codec.ts'

/** A message as it travels: a CBOR header, and a body of raw bytes in as many parts as are at hand. */
export interface WireMessage {
  readonly header: Uint8Array
  readonly body: readonly Uint8Array[]
}

/** Numbers of the operations on the wire; a reply carries its request's, a refusal 0. Never reused. */
const OPS = {
  hello: 1,
  put: 2,
  get: 3,
  have: 4,
  lease: 5,
  drop: 6,
  audit: 7,
  stat: 8,
  'slot-put': 9,
  'slot-get': 10,
  'slot-watch': 11,
  transfer: 12,
  'slot-transfer': 13,
} as const satisfies Record<Op, number>
const REFUSED = 0
/** Field 0 of every header is the operation; the fields after it are each operation's own. */
const OP_FIELD = 0

/** Operations whose requests have a body, and those whose replies have. */
const BODIES_ASKED: ReadonlySet<Op> = new Set(['put', 'slot-put', 'transfer', 'slot-transfer'])
const BODIES: ReadonlySet<Op> = new Set(['get', 'audit', 'slot-put', 'slot-get', 'slot-watch'])

const PUT_OUTCOMES: readonly PutOutcome[] = ['stored', 'have', 'quota', 'full', 'bad']

export function encodeRequest(request: Request): WireMessage {
  switch (request.op) {
    case 'hello':
      return message('hello', [])
    case 'stat':
      return message('stat', [request.accounts])
    case 'put':
      return message('put', [request.manifest, request.index, request.leaseS], [request.shard])
    case 'get':
      return message('get', [
        request.id,
        request.index,
        request.leaves?.first,
        request.leaves?.count,
      ])
    case 'have':
    case 'drop':
      return message(request.op, [joinIds(request.ids)])
    case 'lease':
      return message('lease', [joinIds(request.ids), request.leaseS])
    case 'audit':
      return message('audit', [
        request.leaves.map(({ id, index, leaf }) => [id, index, leaf]),
        request.manifests,
      ])
    case 'slot-put':
    case 'slot-get':
    case 'slot-watch':
      return message(request.op, ...slotRequestParts(request))
    case 'transfer':
    case 'slot-transfer':
      return message(request.op, ...transferRequestParts(request))
  }
}

/** @throws MalformedMessageError */
export function decodeRequest(header: Uint8Array, body: Uint8Array): Request {
  const fields = decodeFields(header)
  const op = opOf(fields)
  if (!BODIES_ASKED.has(op)) requireNoBody(body)
  switch (op) {
    case 'hello':
      return { op }
    case 'stat':
      return { op, ...(fields.get(1) === true && { accounts: true }) }
    case 'put':
      return {
        op,
        manifest: bytesField(fields, 1, { min: 1, max: MAX_MANIFEST_BYTES }),
        index: indexField(fields, 2),
        leaseS: integerField(fields, 3, { max: MAX_LEASE_S }),
        shard: checkBytes(body, 'The shard', { min: 1, max: MAX_BODY_BYTES }),
      }
    case 'get':
      return decodeGet(fields)
    case 'have':
    case 'drop':
      return { op, ids: splitIds(fields, 1) }
    case 'lease':
      return { op, ids: splitIds(fields, 1), leaseS: integerField(fields, 2, { max: MAX_LEASE_S }) }
    case 'audit':
      return {
        op,
        leaves: arrayField(fields, 1, { max: MAX_AUDIT_LEAVES }).map(decodeLeafName),
        ...(fields.get(2) === true && { manifests: true }),
      }
    case 'slot-put':
    case 'slot-get':
    case 'slot-watch':
      return decodeSlotRequest(op, fields, body)
    case 'transfer':
    case 'slot-transfer':
      return decodeTransferRequest(op, fields, body)
  }
}

export function encodeReply(reply: Reply | Refusal): WireMessage {
  switch (reply.op) {
    case 'refused':
      return { header: encodeRefusal(reply, REFUSED), body: [] }
    case 'hello':
      return message('hello', [reply.version, reply.capacityBytes, reply.inFlightBytes])
    case 'put':
      return message('put', [PUT_OUTCOMES.indexOf(reply.outcome)])
    case 'get': {
      const { share } = reply
      if (share === undefined) return message('get', [])
      return message('get', [share.manifest, share.index, share.held, share.proof], [share.bytes])
    }
    case 'have':
    case 'lease':
      return message(reply.op, [reply.holdings])
    case 'drop':
      return message('drop', [reply.dropped])
    case 'audit':
      return message('audit', ...auditReplyParts(reply))
    case 'stat':
      return message('stat', ...statReplyParts(reply))
    case 'slot-put':
    case 'slot-get':
    case 'slot-watch':
      return message(reply.op, ...slotReplyParts(reply))
    case 'transfer':
    case 'slot-transfer':
      return message(reply.op, ...transferReplyParts(reply))
  }
}

/** Decodes the reply to a request of kind `op`. @throws MalformedMessageError */
export function decodeReply<O extends Op>(
  op: O,
  header: Uint8Array,
  body: Uint8Array,
): ReplyOf<O> | Refusal
export function decodeReply(op: Op, header: Uint8Array, body: Uint8Array): Reply | Refusal {
  const fields = decodeFields(header)
  if (fields.get(OP_FIELD) === REFUSED) return decodeRefusal(fields)
  if (opOf(fields) !== op)
    throw new MalformedMessageError('The reply answers another kind of request.')
  if (!BODIES.has(op)) requireNoBody(body)
  switch (op) {
    case 'hello':
      return {
        op,
        version: integerField(fields, 1, { max: 255 }),
        capacityBytes: sizeField(fields, 2),
        inFlightBytes: sizeField(fields, 3),
      }
    case 'put': {
      const outcome = PUT_OUTCOMES[integerField(fields, 1, { max: PUT_OUTCOMES.length - 1 })]
      if (outcome === undefined) throw new MalformedMessageError('The outcome is not known.')
      return { op, outcome }
    }
    case 'get':
      return decodeGetReply(fields, body)
    case 'have':
    case 'lease':
      return decodeHoldings(op, fields)
    case 'drop':
      return { op, dropped: integerField(fields, 1, { max: MAX_IDS * MAX_SHARES }) }
    case 'audit':
      return decodeAuditReply(fields, body)
    case 'stat':
      return decodeStat(fields)
    case 'slot-put':
    case 'slot-get':
    case 'slot-watch':
      return decodeSlotReply(op, fields, body)
    case 'transfer':
    case 'slot-transfer':
      return decodeTransferReply(op, fields)
  }
}

/** Fields 1, 2, … in order; an undefined one is left out. */
function message(
  op: Op,
  values: readonly unknown[],
  body: readonly Uint8Array[] = [],
): WireMessage {
  const fields: Fields = new Map<number, unknown>([[OP_FIELD, OPS[op]]])
  values.forEach((value, at) => {
    if (value !== undefined) fields.set(at + 1, value)
  })
  return { header: encodeFields(fields), body }
}

function opOf(fields: Fields): Op {
  const number = fields.get(OP_FIELD)
  for (const op of Object.keys(OPS) as Op[]) if (OPS[op] === number) return op
  throw new MalformedMessageError('The operation is not known.')
}
