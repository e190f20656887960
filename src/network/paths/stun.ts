import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'
import type { Clock } from '../../foundation/clock.ts'
import { MAX_STUN_PER_S } from './limits.ts'

/**
 * STUN Binding (RFC 8489), as much of it as ICE needs: the request asks "where do you see me?", the response answers
 * with XOR-MAPPED-ADDRESS. Neither is authenticated, and the response is 12 or 24 bytes longer than the request.
 */
const BINDING_REQUEST = 0x0001
const BINDING_RESPONSE = 0x0101
const MAGIC_COOKIE = 0x2112a442
const XOR_MAPPED_ADDRESS = 0x0020
const HEADER_BYTES = 20
export const TRANSACTION_ID_BYTES = 12

export interface SocketAddress {
  readonly host: string
  readonly port: number
}

export function encodeBindingRequest(transactionId: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES)
  const view = new DataView(message.buffer)
  view.setUint16(0, BINDING_REQUEST)
  view.setUint32(4, MAGIC_COOKIE)
  message.set(transactionId, 8)
  return message
}

/** @returns the transaction id, or undefined if it is no Binding request. Attributes are not looked at. */
export function decodeBindingRequest(message: Uint8Array): Uint8Array | undefined {
  return isMessage(message, BINDING_REQUEST) ? message.slice(8, HEADER_BYTES) : undefined
}

/** Tells who asked where it was seen. */
export function encodeBindingResponse(transactionId: Uint8Array, seen: SocketAddress): Uint8Array {
  const address = addressBytes(seen.host)
  const message = new Uint8Array(HEADER_BYTES + 8 + address.length)
  const view = new DataView(message.buffer)
  view.setUint16(0, BINDING_RESPONSE)
  view.setUint16(2, 8 + address.length)
  view.setUint32(4, MAGIC_COOKIE)
  message.set(transactionId, 8)
  view.setUint16(20, XOR_MAPPED_ADDRESS)
  view.setUint16(22, 4 + address.length)
  view.setUint8(25, address.length === 4 ? 1 : 2)
  view.setUint16(26, seen.port ^ (MAGIC_COOKIE >>> 16))
  // The address is masked with the cookie and the transaction id, for routers that rewrite what looks like one.
  for (const [at, byte] of address.entries()) message[28 + at] = byte ^ (message[4 + at] ?? 0)
  return message
}

/** @returns where the server saw us, or undefined if this is no answer to that request */
export function decodeBindingResponse(
  message: Uint8Array,
  transactionId: Uint8Array,
): SocketAddress | undefined {
  if (!isMessage(message, BINDING_RESPONSE)) return undefined
  if (!Buffer.from(message.subarray(8, HEADER_BYTES)).equals(transactionId)) return undefined
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const end = HEADER_BYTES + view.getUint16(2)
  for (let at = HEADER_BYTES; at + 4 <= end;) {
    const length = view.getUint16(at + 2)
    if (at + 4 + length > end) return undefined
    if (view.getUint16(at) === XOR_MAPPED_ADDRESS) return mappedAddress(message, at + 4, length)
    at += 4 + Math.ceil(length / 4) * 4
  }
  return undefined
}

function mappedAddress(message: Uint8Array, at: number, length: number): SocketAddress | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  if (length !== 8 && length !== 20) return undefined
  const port = view.getUint16(at + 2) ^ (MAGIC_COOKIE >>> 16)
  const bytes = message
    .subarray(at + 4, at + length)
    .map((byte, index) => byte ^ (message[4 + index] ?? 0))
  return { host: addressText(bytes), port }
}

function isMessage(message: Uint8Array, type: number): boolean {
  if (message.length < HEADER_BYTES) return false
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  return (
    view.getUint16(0) === type &&
    view.getUint32(4) === MAGIC_COOKIE &&
    HEADER_BYTES + view.getUint16(2) === message.length
  )
}

/** 4 or 16 bytes. */
function addressBytes(host: string): Uint8Array {
  if (isIPv4(host)) return Uint8Array.from(host.split('.').map(Number))
  const [head = '', tail] = host.replace(/%.*$/, '').split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const before = groups(head)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return Uint8Array.from(
    [...before, ...(tail === undefined ? [] : zeros), ...after].flatMap((group) => [
      group >> 8,
      group & 0xff,
    ]),
  )
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  )
  return groups.join(':')
}

/** Answers STUN Binding requests of anybody, at a bounded rate. */
export class StunServer implements Disposable {
  readonly #socket: Socket
  readonly #clock: Clock
  #secondStartMs: number
  #answeredThisSecond = 0

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    this.#secondStartMs = clock.monotonicMs()
    socket.on('message', (message, from) => {
      this.#answer(message, from)
    })
    // An ICMP error about some earlier answer.
    socket.on('error', () => undefined)
    socket.unref()
  }

  /** @returns undefined if the port cannot be had */
  static async listen(port: number, clock: Clock): Promise<StunServer | undefined> {
    const socket = createSocket('udp4')
    try {
      socket.bind(port)
      await once(socket, 'listening')
    } catch {
      socket.close()
      return undefined
    }
    return new StunServer(socket, clock)
  }

  get port(): number {
    return this.#socket.address().port
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #answer(message: Uint8Array, { address, port }: RemoteInfo): void {
    const transactionId = decodeBindingRequest(message)
    if (transactionId === undefined || !this.#mayAnswer()) return
    this.#socket.send(encodeBindingResponse(transactionId, { host: address, port }), port, address)
  }

  #mayAnswer(): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#secondStartMs >= 1000) {
      this.#secondStartMs = nowMs
      this.#answeredThisSecond = 0
    }
    return ++this.#answeredThisSecond <= MAX_STUN_PER_S
  }
}
