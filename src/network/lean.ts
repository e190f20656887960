import type { Socket } from 'node:net'
import type { ConnectionEncrypter, MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { assert } from '../foundation/error.ts'
import { x25519KeyPair, x25519SharedKey } from '../crypto/x25519.ts'
import { systemRandomness } from '../foundation/system.ts'
import { noise, noiseCrypto, yamux } from './libp2p.ts'

/**
 * Noise and Yamux without what they do needlessly for each message, which costs small requests half of their processor
 * time. What passes over the wire stays what both specifications say. These members are not part of the libraries' interfaces:
 * their versions are pinned, and what is missing fails at the first connection, in every test.
 */
export function leanNoise(): ReturnType<typeof noise> {
  const make = noise({ crypto: LEAN_CRYPTO })
  return (components) => {
    const encrypter = make(components)
    for (const side of ['secureInbound', 'secureOutbound'] as const)
      encrypter[side] = lean(encrypter, side)
    return encrypter
  }
}

/** Its keys are as much work to set up as to use; see {@link x25519SharedKey}. */
const LEAN_CRYPTO: typeof noiseCrypto = {
  ...noiseCrypto,
  generateX25519KeyPair: () => x25519KeyPair(systemRandomness.bytes(32)),
  generateX25519KeyPairFromSeed: (seed) => x25519KeyPair(seed),
  generateX25519SharedKey: (privateKey, publicKey) =>
    x25519SharedKey(privateKey.subarray(), publicKey.subarray()),
}

function lean<E>(
  encrypter: ConnectionEncrypter<E>,
  side: 'secureInbound' | 'secureOutbound',
): ConnectionEncrypter<E>['secureInbound'] {
  const secure = encrypter[side].bind(encrypter)
  return async (connection, options) => {
    writeAtOnce(connection as unknown as SocketConnection)
    const secured = await secure(connection, options)
    trimEncrypted(secured.connection as EncryptedStream)
    return secured
  }
}

/**
 * What is handed to a connection in many pieces goes to its socket in one write. Noise makes three of every 64 KiB, of which each
 * would be a call of the system and a packet of its own, and wait for the one before.
 */
function writeAtOnce(connection: SocketConnection): void {
  const { socket } = connection
  // Through a relay, or by WebRTC, there is none.
  if (socket === undefined) return
  assert(typeof connection.sendData === 'function', 'a connection writes to its socket')
  connection.sendData = (data) => {
    let canSendMore = true
    socket.cork()
    for (const piece of data) canSendMore = socket.write(piece)
    socket.uncork()
    return { sentBytes: data.byteLength, canSendMore }
  }
}

function trimEncrypted(stream: EncryptedStream): void {
  const { decoder } = stream
  assert(typeof stream.encrypt === 'function', 'Noise encrypts what it sends')
  assert(typeof decoder.lengthDecoder === 'function', 'Noise cuts what it receives by lengths')
  const encrypt = stream.encrypt.bind(stream)
  // The length before a message would be a write to the socket, and often a packet, of its own.
  stream.encrypt = (chunk) => {
    const sealed = encrypt(chunk)
    return sealed.byteLength > MAX_JOINED_BYTES ? sealed : sealed.subarray()
  }
  // At the end of all that has arrived there is no length to decode, which the decoder finds out by an exception. Of no
  // bytes with a length of two it waits for the two as well.
  decoder.lengthDecoder = (bytes) => (bytes.byteLength < 2 ? 0 : (bytes.get(0) << 8) | bytes.get(1))
}

/**
 * Yamux grants the sender new window after every frame, by a message of its own. Here it waits until an eighth of the
 * window is used up, which leaves the sender as good as all of it to have under way.
 */
export function leanYamux(...options: Parameters<typeof yamux>): () => StreamMuxerFactory {
  const make = yamux(...options)
  return () => {
    const factory = make()
    const create = factory.createStreamMuxer.bind(factory)
    factory.createStreamMuxer = (connection) => {
      const muxer = create(connection)
      const maker = muxer as unknown as StreamMaker
      assert(typeof maker._newStream === 'function', 'Yamux makes streams')
      const newStream = maker._newStream.bind(maker)
      maker._newStream = (...of) => {
        const stream = newStream(...of)
        holdBackUpdates(stream)
        return stream
      }
      return muxer
    }
    return factory
  }
}

function holdBackUpdates(stream: WindowedStream): void {
  assert(typeof stream.sendWindowUpdate === 'function', 'a stream of Yamux grants window')
  const update = stream.sendWindowUpdate.bind(stream)
  stream.sendWindowUpdate = () => {
    const used = stream.recvWindow - stream.recvWindowCapacity
    // An update also carries the flags that open a stream.
    const opens = stream.state === STATE_INIT || stream.state === STATE_SYN_RECEIVED
    if (opens || used >= stream.recvWindow * UPDATED_PART) update()
  }
}

/** Larger messages are written as they are: to join them would copy them once more. */
const MAX_JOINED_BYTES = 16 * 1024
const UPDATED_PART = 1 / 8

const STATE_INIT = 0
const STATE_SYN_RECEIVED = 2

/** Bytes in pieces, as libp2p hands them on. */
interface ByteList extends Iterable<Uint8Array> {
  readonly byteLength: number
  subarray(): Uint8Array
  get(at: number): number
}

/** A connection over TCP, besides what its interface says. */
interface SocketConnection {
  readonly socket?: Pick<Socket, 'cork' | 'uncork' | 'write'>
  sendData: (data: ByteList) => { sentBytes: number; canSendMore: boolean }
}

/** What Noise makes of a connection, besides what its interface says. */
interface EncryptedStream extends MessageStream {
  encrypt: (chunk: Uint8Array | ByteList) => Uint8Array | ByteList
  readonly decoder: { lengthDecoder: (bytes: ByteList) => number }
}

/** A stream of Yamux, besides what its interface says. */
interface WindowedStream {
  readonly state: number
  readonly recvWindow: number
  readonly recvWindowCapacity: number
  sendWindowUpdate: () => void
}

interface StreamMaker {
  _newStream: (...of: unknown[]) => WindowedStream
}
