import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDefaultGateway } from '../../../src/network/paths/port-mapping.ts'
import {
  judgeReachability,
  type ReachabilityEvidence,
} from '../../../src/network/paths/reachability.ts'

const evidence: fc.Arbitrary<ReachabilityEvidence> = fc.record({
  configured: fc.constantFrom('auto', 'yes', 'no'),
  hasPublicAddress: fc.boolean(),
  isMapped: fc.boolean(),
  wasReached: fc.boolean(),
  dialedBack: fc.constantFrom('reached', 'not-reached', undefined),
})

describe('whether a host is reachable', () => {
  it('is what its operator says, if anything', () => {
    fc.assert(
      fc.property(evidence, (known) => {
        fc.pre(known.configured !== 'auto')
        const { reachable } = judgeReachability(known)
        expect(reachable).toBe(known.configured === 'yes')
      }),
    )
  })

  it('is else what was seen, whatever should be', () => {
    fc.assert(
      fc.property(evidence, (known) => {
        const auto = { ...known, configured: 'auto' as const }
        const { reachable } = judgeReachability(auto)
        if (known.dialedBack === 'reached' || known.wasReached) expect(reachable).toBe(true)
        else if (known.dialedBack === 'not-reached') expect(reachable).toBe(false)
        else expect(reachable).toBe(known.isMapped || known.hasPublicAddress)
      }),
    )
  })
})

describe('the default route', () => {
  it('is found in the table that Linux gives', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    ].join('\n')
    expect(parseDefaultGateway(table)).toBe('192.168.1.1')
  })

  it('is none where there is none', () => {
    expect(parseDefaultGateway('')).toBeUndefined()
    expect(parseDefaultGateway('Iface\neth0\t00000000\t00000000')).toBeUndefined()
    expect(parseDefaultGateway('Iface\neth0\t00000000\tnonsense')).toBeUndefined()
  })
})
