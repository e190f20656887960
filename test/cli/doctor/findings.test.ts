import { describe, expect, it } from 'vitest'
import type { Examination } from '../../../src/cli/doctor/examination.ts'
import { findingsOf, type Finding } from '../../../src/cli/doctor/findings.ts'
import type { Diagnosis } from '../../../src/network/paths/diagnosis.ts'
import { nodeKey } from '../../../src/protocol/node-key.ts'

const MIB = 1024 * 1024
const away = { path: 'none', open: [], address: undefined, roundTripMs: undefined } as const

function found(
  about: Finding['about'],
  diagnosis: Partial<Diagnosis>,
  examination: Partial<Omit<Examination, 'diagnosis'>> = {},
): Finding | undefined {
  return findingsOf({
    home: '/home/me/.hayloft',
    role: 'node',
    disk: { path: '/', freeBytes: 900 * MIB, writable: true },
    settings: { listen: [], capacityBytes: 1, reserveBytes: 128 * MIB },
    ...examination,
    diagnosis: {
      reachability: { reachable: false, why: 'no-evidence' },
      seenHosts: ['5.5.1.1'],
      mapping: { kind: 'none' },
      serves: { relay: false, stunPort: undefined },
      relays: [],
      listening: { host: '192.168.1.10', port: 4001 },
      router: 'port-restricted',
      clockAheadMs: 20,
      members: [],
      ...diagnosis,
    },
  }).find((finding) => finding.about === about)
}

describe('what the doctor says', () => {
  it('of a node that nobody reaches is what to do at the router', () => {
    const { verdict, advice } = found('reachable', {}) ?? {}
    expect(verdict).toBe('note')
    expect(advice).toBe(
      'Switch UPnP on in the router, or forward TCP port 4001, and UDP port 4001 with it, to 192.168.1.10.',
    )
  })

  it('of a second router beyond the first is whom to ask', () => {
    const mapping = { kind: 'private', host: '100.64.3.1' } as const
    expect(found('reachable', { mapping })?.advice).toContain('ask your provider')
  })

  it('of a router that only says it forwards is to start it anew', () => {
    const mapping = {
      kind: 'mapped',
      external: { host: '5.5.1.1', port: 4001 },
      udp: true,
    } as const
    const reachability = { reachable: false, why: 'not-reached' } as const
    expect(found('reachable', { mapping, reachability })?.advice).toContain('Start the router anew')
  })

  it('of an address of the internet where nobody comes in is to look at the firewall', () => {
    const reachability = { reachable: false, why: 'not-reached' } as const
    expect(found('reachable', { router: 'none', reachability })?.advice).toContain('firewall')
  })

  it('of a node on loopback is where to listen', () => {
    expect(found('reachable', { listening: undefined })?.advice).toContain('--listen')
  })

  it('of a node that does not run is to start it', () => {
    const finding = found('reachable', {}, { role: 'stopped-node' })
    expect(finding).toMatchObject({ verdict: 'problem', advice: expect.stringContaining('start') })
  })

  it('of a client that cannot be reached is that it need not be', () => {
    expect(found('reachable', {}, { role: 'client' })?.verdict).toBe('fine')
    expect(found('relays', {}, { role: 'client' })).toBeUndefined()
  })

  it('of a grid in which nobody relays is that one must', () => {
    expect(found('relays', {})?.verdict).toBe('problem')
    const relays = [nodeKey('a'.repeat(64))]
    expect(found('relays', { relays })?.verdict).toBe('fine')
  })

  it.each([
    [59_000, 'fine', 'agrees'],
    [61_000, 'problem', '61 seconds ahead of'],
    [-3_600_000, 'problem', '60 minutes behind'],
    [86_400_000, 'problem', '24 hours ahead of'],
    [-400_000_000, 'problem', '5 days behind'],
  ])('of a clock that is %i ms ahead is "%s": %s', (clockAheadMs, verdict, says) => {
    const finding = found('clock', { clockAheadMs })
    expect(finding?.verdict).toBe(verdict)
    expect(finding?.says).toContain(says)
  })

  it('of a clock that nobody could be asked about is no verdict', () => {
    expect(found('clock', { clockAheadMs: undefined })?.verdict).toBe('note')
  })

  it('of a disk tells when it is full or cannot be written', () => {
    expect(found('disk', {})?.verdict).toBe('fine')
    const full = { disk: { path: '/', freeBytes: 100 * MIB, writable: true } }
    expect(found('disk', {}, full)).toMatchObject({ verdict: 'problem' })
    const readOnly = { disk: { path: '/d', freeBytes: 900 * MIB, writable: false } }
    expect(found('disk', {}, readOnly)?.says).toContain('/d')
  })

  it('of members is a problem only if none is there', () => {
    const node = nodeKey('b'.repeat(64))
    const there = {
      path: 'direct',
      open: ['direct'],
      address: '/ip4/5.5.0.1',
      roundTripMs: 3,
    } as const
    const members = [
      { node, ...away, why: 'gone' },
      { node, ...there, why: undefined },
    ]
    expect(found('members', { members })?.verdict).toBe('note')
    expect(found('members', { members: members.slice(0, 1) })?.verdict).toBe('problem')
    expect(found('members', { members: members.slice(1) })?.verdict).toBe('fine')
    expect(found('members', { members: [] })?.verdict).toBe('fine')
  })
})
