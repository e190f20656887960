import {
  arrayField,
  decodeFields,
  encodeFields,
  integerField,
  MalformedMessageError,
  type Fields,
} from '../../protocol/cbor.ts'
import { parseAddress } from './addresses.ts'
import { MAX_LAN_ADDRESSES } from './limits.ts'
import { hostField, portField } from './observe-codec.ts'
import type { SocketAddress } from './stun.ts'

/**
 * What two members tell each other through a relay before they connect at the same moment. `docs/specification/paths.md`
 * gives the bytes and their order.
 */
export type PunchMessage =
  | {
      readonly kind: 'addresses'
      /** Where an observer saw the socket that this side is going to connect from. */
      readonly seen: SocketAddress
      /** Multiaddrs in its own network, for a peer that turns out to be in the same one. */
      readonly lan: readonly string[]
    }
  | { readonly kind: 'ready' }
  | { readonly kind: 'go' }

const KINDS = ['addresses', 'ready', 'go'] as const
const LONGEST_ADDRESS = 128

export function encodePunch(message: PunchMessage): Uint8Array {
  const fields: Fields = new Map<number, unknown>([[0, KINDS.indexOf(message.kind) + 1]])
  if (message.kind === 'addresses') {
    fields.set(1, message.seen.host).set(2, message.seen.port)
    fields.set(3, message.lan.slice(0, MAX_LAN_ADDRESSES))
  }
  return encodeFields(fields)
}

/** @throws MalformedMessageError */
export function decodePunch(bytes: Uint8Array): PunchMessage {
  const fields = decodeFields(bytes)
  const kind = KINDS[integerField(fields, 0, { min: 1, max: KINDS.length }) - 1]
  if (kind === undefined) throw new MalformedMessageError('The message is of no known kind.')
  switch (kind) {
    case 'addresses':
      return {
        kind,
        seen: { host: hostField(fields, 1), port: portField(fields, 2) },
        lan: arrayField(fields, 3, { max: MAX_LAN_ADDRESSES }).map(lanAddress),
      }
    case 'ready':
    case 'go':
      return { kind }
  }
}

/** Only private addresses: a peer has no business sending us to others. @throws MalformedMessageError */
function lanAddress(value: unknown): string {
  const isShort = typeof value === 'string' && value.length <= LONGEST_ADDRESS
  const address = isShort ? parseAddress(value) : undefined
  if (address?.kind !== 'direct' || address.scope !== 'private' || address.text.includes('/p2p')) {
    throw new MalformedMessageError('An address of the local network is none.')
  }
  return address.text
}
