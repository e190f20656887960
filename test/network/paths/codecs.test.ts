import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  type Answer,
  type Question,
} from '../../../src/network/paths/observe-codec.ts'
import {
  decodePunch,
  encodePunch,
  type PunchMessage,
} from '../../../src/network/paths/punch-codec.ts'
import { MalformedMessageError } from '../../../src/protocol/cbor.ts'

const port = fc.integer({ min: 1, max: 65_535 })
const seen = fc.record({ host: fc.oneof(fc.ipV4(), fc.ipV6()), port })
const question: fc.Arbitrary<Question> = fc.oneof(
  fc.constant({ kind: 'where-am-i' as const }),
  fc.record({ kind: fc.constant('dial-back' as const), port }),
  fc.record({
    kind: fc.constant('send-datagram' as const),
    port,
    token: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  }),
)
const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    kind: fc.constant('where-am-i' as const),
    seen,
    stunPort: fc.option(port, { nil: undefined }),
    timeMs: fc.nat(),
  }),
  fc.record({ kind: fc.constant('dial-back' as const), reached: fc.boolean() }),
  fc.constant({ kind: 'send-datagram' as const }),
)
const lan = port.map((at) => `/ip4/192.168.1.10/tcp/${at}`)
const punch: fc.Arbitrary<PunchMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('addresses' as const),
    seen,
    lan: fc.array(lan, { maxLength: 4 }),
  }),
  fc.constant({ kind: 'ready' as const }),
  fc.constant({ kind: 'go' as const }),
)

describe('messages about paths', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(question, answer, punch, (q, a, p) => {
        expect(decodeQuestion(encodeQuestion(q))).toEqual(q)
        expect(decodeAnswer(encodeAnswer(a))).toEqual(a)
        expect(decodePunch(encodePunch(p))).toEqual(p)
      }),
    )
  })

  it('are refused when they are anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const decode of [decodeQuestion, decodeAnswer, decodePunch]) {
          try {
            decode(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessageError)
          }
        }
      }),
    )
  })

  it('name no places in a network that is not private', () => {
    const addresses = (places: string[]): Uint8Array =>
      encodePunch({ kind: 'addresses', seen: { host: '5.5.1.1', port: 9 }, lan: places })
    for (const place of [
      '/ip4/5.5.1.2/tcp/22',
      '/ip4/127.0.0.1/tcp/22',
      '/dns4/example.org/tcp/22',
      '/ip4/192.168.1.1/udp/22',
      `/ip4/192.168.1.1/tcp/22/p2p/12D3KooWLzGtphKJTpManWBsF21vKnssskBuNTpYUJ9uzEZTEhLP`,
      'x'.repeat(200),
    ]) {
      expect(() => decodePunch(addresses([place]))).toThrow(MalformedMessageError)
    }
  })

  it('have the bytes that the specification gives', () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    expect(hex(encodeQuestion({ kind: 'where-am-i' }))).toBe('a10001')
    expect(hex(encodeQuestion({ kind: 'dial-back', port: 4001 }))).toBe('a2000201190fa1')
    expect(
      hex(
        encodeAnswer({
          kind: 'where-am-i',
          seen: { host: '5.5.1.1', port: 40_000 },
          stunPort: 4001,
          timeMs: 1_000,
        }),
      ),
    ).toBe('a500010167352e352e312e3102199c4003190fa1041903e8')
    expect(hex(encodePunch({ kind: 'go' }))).toBe('a10003')
  })
})
