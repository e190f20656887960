import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/foundation/system.ts'
import { MAX_STUN_PER_S } from '../../../src/network/paths/limits.ts'
import {
  decodeBindingRequest,
  decodeBindingResponse,
  encodeBindingRequest,
  encodeBindingResponse,
  StunServer,
} from '../../../src/network/paths/stun.ts'

const transactionId = fc.uint8Array({ minLength: 12, maxLength: 12 })
const port = fc.integer({ min: 1, max: 65_535 })

describe('STUN messages', () => {
  it('say where who asked was seen', () => {
    fc.assert(
      fc.property(transactionId, fc.ipV4(), port, (id, host, at) => {
        const asked = decodeBindingRequest(encodeBindingRequest(id))
        expect(asked).toEqual(id)
        const response = encodeBindingResponse(id, { host, port: at })
        expect(decodeBindingResponse(response, id)).toEqual({ host, port: at })
      }),
    )
  })

  it('carry IPv6 addresses too', () => {
    const id = new Uint8Array(12).fill(7)
    const response = encodeBindingResponse(id, { host: '2001:db8::ff00:42', port: 4001 })
    expect(decodeBindingResponse(response, id)).toEqual({
      host: '2001:db8:0:0:0:0:ff00:42',
      port: 4001,
    })
  })

  it('answer one request and no other', () => {
    fc.assert(
      fc.property(transactionId, transactionId, (one, other) => {
        fc.pre(!Buffer.from(one).equals(other))
        const response = encodeBindingResponse(one, { host: '5.5.0.1', port: 1 })
        expect(decodeBindingResponse(response, other)).toBeUndefined()
      }),
    )
  })

  it('are told from anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeBindingRequest(bytes)).toBeUndefined()
        expect(decodeBindingResponse(bytes, bytes.subarray(8, 20))).toBeUndefined()
      }),
    )
  })

  it('are read as RFC 5769, section 2.2, writes them', () => {
    const message = Buffer.from(
      '0101003c2112a442b7e7a701bc34d686fa87dfae' +
        '8022000b7465737420766563746f7220' +
        '002000080001a147e112a643' +
        '000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96',
      'hex',
    )
    const id = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex')
    expect(decodeBindingResponse(message, id)).toEqual({ host: '192.0.2.1', port: 32_853 })
  })
})

describe('the STUN server', () => {
  it('answers those who ask, and a flood of them only so far', async () => {
    using server = await StunServer.listen(0, systemClock)
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const id = new Uint8Array(12).fill(3)
    socket.send(encodeBindingRequest(id), server?.port ?? 0, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    expect(decodeBindingResponse(answer, id)).toEqual({
      host: '127.0.0.1',
      port: socket.address().port,
    })
    socket.close()
    expect(MAX_STUN_PER_S).toBeLessThan(10_000)
  })

  it('does not get a port that is taken', async () => {
    using first = await StunServer.listen(0, systemClock)
    expect(await StunServer.listen(first?.port ?? 0, systemClock)).toBeUndefined()
  })
})
