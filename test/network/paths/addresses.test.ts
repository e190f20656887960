import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  announcedAddresses,
  parseAddress,
  scopeOf,
  tcpAddress,
} from '../../../src/network/paths/addresses.ts'

const PEER = '12D3KooWLzGtphKJTpManWBsF21vKnssskBuNTpYUJ9uzEZTEhLP'

describe('an address', () => {
  it('is read back as it was written', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6())
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
        expect(parseAddress(tcpAddress(ip, port))).toMatchObject({ host: ip, port, kind: 'direct' })
      }),
    )
  })

  it.each([
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.10', 'private'],
    ['169.254.7.7', 'private'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['0.0.0.0', 'private'],
    ['fe80::1', 'private'],
    ['fd00::1', 'private'],
    ['2001:4860::1', 'public'],
    ['5.5.0.10', 'public'],
  ])('of %s is %s', (host, scope) => {
    expect(scopeOf(host)).toBe(scope)
  })

  it.each([
    ['/ip4/5.5.0.10/tcp/4001', 'direct', 'public'],
    [`/ip4/5.5.0.10/tcp/4001/p2p/${PEER}`, 'direct', 'public'],
    ['/dns4/home.example.org/tcp/4001', 'direct', 'name'],
    [`/ip4/5.5.0.10/tcp/4001/p2p/${PEER}/p2p-circuit`, 'relayed', 'public'],
    [`/ip4/192.168.1.9/tcp/4001/p2p/${PEER}/p2p-circuit/p2p/${PEER}`, 'relayed', 'private'],
  ])('such as %s is %s and %s', (text, kind, scope) => {
    expect(parseAddress(text)).toMatchObject({ text, kind, scope })
  })

  it.each([
    '',
    '/',
    '/ip4/5.5.0.10/udp/4001/quic-v1',
    '/ip4/5.5.0.10/tcp/4001/ws',
    '/ip4/300.1.1.1/tcp/4001',
    '/ip4/5.5.0.10',
    '/p2p-circuit',
    `/webrtc/p2p/${PEER}`,
    `/ip4/5.5.0.10/tcp/4001/p2p/${PEER}/p2p-circuit/webrtc/p2p/${PEER}`,
  ])('such as %s is none of TCP', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })
})

describe('what is announced', () => {
  const own = [
    '/ip4/127.0.0.1/tcp/4001',
    '/ip4/192.168.1.10/tcp/4001',
    `/ip4/5.5.0.10/tcp/4001/p2p/${PEER}/p2p-circuit`,
    `/ip4/10.0.0.3/tcp/4001/p2p/${PEER}/p2p-circuit`,
  ]

  it('leaves out loopback where there is more, and relays that few can reach', () => {
    expect(announcedAddresses(own, { extra: [], isReachable: false, max: 16 })).toEqual([
      '/ip4/192.168.1.10/tcp/4001',
      `/ip4/5.5.0.10/tcp/4001/p2p/${PEER}/p2p-circuit`,
    ])
  })

  it('names no relays where none is needed, and what is of most use first', () => {
    const extra = ['/ip4/5.5.7.1/tcp/4001']
    expect(announcedAddresses(own, { extra, isReachable: true, max: 16 })).toEqual([
      '/ip4/5.5.7.1/tcp/4001',
      '/ip4/192.168.1.10/tcp/4001',
    ])
  })

  it('is loopback where there is nothing else, and never more than asked for', () => {
    const loopback = ['/ip4/127.0.0.1/tcp/4001']
    expect(announcedAddresses(loopback, { extra: [], isReachable: false, max: 16 })).toEqual(
      loopback,
    )
    expect(announcedAddresses(own, { extra: [], isReachable: false, max: 1 })).toHaveLength(1)
  })
})
