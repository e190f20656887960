import {
  bytesField,
  decodeFields,
  encodeFields,
  integerField,
  MalformedMessageError,
  type Fields,
} from '../../protocol/cbor.ts'
import { isIP } from 'node:net'
import type { SocketAddress } from './stun.ts'

/**
 * What members ask a member that is reachable: where it sees them, to connect to them, to send them a datagram.
 * `docs/specification/paths.md` gives the bytes.
 */
export type Question =
  | { readonly kind: 'where-am-i' }
  | { readonly kind: 'dial-back'; readonly port: number }
  | { readonly kind: 'send-datagram'; readonly port: number; readonly token: Uint8Array }

export type Answer =
  | {
      readonly kind: 'where-am-i'
      readonly seen: SocketAddress
      /** Where it answers STUN at the address that it was asked at; undefined if it does not. */
      readonly stunPort: number | undefined
      /** Its clock, in milliseconds since 1970. */
      readonly timeMs: number
    }
  | { readonly kind: 'dial-back'; readonly reached: boolean }
  | { readonly kind: 'send-datagram' }

const MAX_PORT = 65_535
/** Enough that nobody else sends the same one by chance. */
export const TOKEN_BYTES = 8
const LONGEST_HOST = 45

const KINDS = ['where-am-i', 'dial-back', 'send-datagram'] as const

export function encodeQuestion(question: Question): Uint8Array {
  const fields: Fields = new Map<number, unknown>([[0, KINDS.indexOf(question.kind) + 1]])
  if (question.kind !== 'where-am-i') fields.set(1, question.port)
  if (question.kind === 'send-datagram') fields.set(2, question.token)
  return encodeFields(fields)
}

/** @throws MalformedMessageError */
export function decodeQuestion(bytes: Uint8Array): Question {
  const fields = decodeFields(bytes)
  const kind = kindOf(fields)
  switch (kind) {
    case 'where-am-i':
      return { kind }
    case 'dial-back':
      return { kind, port: portField(fields, 1) }
    case 'send-datagram':
      return {
        kind,
        port: portField(fields, 1),
        token: bytesField(fields, 2, { min: TOKEN_BYTES, max: TOKEN_BYTES }),
      }
  }
}

export function encodeAnswer(answer: Answer): Uint8Array {
  const fields: Fields = new Map<number, unknown>([[0, KINDS.indexOf(answer.kind) + 1]])
  if (answer.kind === 'where-am-i') {
    fields.set(1, answer.seen.host).set(2, answer.seen.port).set(4, answer.timeMs)
    if (answer.stunPort !== undefined) fields.set(3, answer.stunPort)
  } else if (answer.kind === 'dial-back') {
    fields.set(1, answer.reached ? 1 : 0)
  }
  return encodeFields(fields)
}

/** @throws MalformedMessageError */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const fields = decodeFields(bytes)
  const kind = kindOf(fields)
  switch (kind) {
    case 'where-am-i':
      return {
        kind,
        seen: { host: hostField(fields, 1), port: portField(fields, 2) },
        stunPort: fields.has(3) ? portField(fields, 3) : undefined,
        timeMs: integerField(fields, 4, { max: Number.MAX_SAFE_INTEGER }),
      }
    case 'dial-back':
      return { kind, reached: integerField(fields, 1, { max: 1 }) === 1 }
    case 'send-datagram':
      return { kind }
  }
}

/** An IPv4 or IPv6 address as text. @throws MalformedMessageError */
export function hostField(fields: Fields, key: number): string {
  const host = fields.get(key)
  if (typeof host !== 'string' || host.length > LONGEST_HOST || isIP(host) === 0) {
    throw new MalformedMessageError(`Field ${key} is not an IP address.`)
  }
  return host
}

/** @throws MalformedMessageError */
export function portField(fields: Fields, key: number): number {
  return integerField(fields, key, { min: 1, max: MAX_PORT })
}

function kindOf(fields: Fields): (typeof KINDS)[number] {
  const kind = KINDS[integerField(fields, 0, { min: 1, max: KINDS.length }) - 1]
  if (kind === undefined) throw new MalformedMessageError('The message is of no known kind.')
  return kind
}
