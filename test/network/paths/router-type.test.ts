import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgeRouter, type RouterEvidence } from '../../../src/network/paths/router-type.ts'

const here = { host: '5.5.1.1', port: 4000 }
const elsewhere = { host: '5.5.1.1', port: 4001 }
const both: RouterEvidence = {
  seen: [here, here],
  isOwn: false,
  strangerCame: false,
  otherPortCame: false,
  helpers: 2,
}

describe('what kind of router there is', () => {
  it.each<[string, Partial<RouterEvidence>]>([
    ['none', { isOwn: true, strangerCame: true, otherPortCame: true }],
    ['cone', { strangerCame: true, otherPortCame: true }],
    ['address-restricted', { otherPortCame: true }],
    ['port-restricted', {}],
    ['symmetric', { seen: [here, elsewhere] }],
    ['blocked', { seen: [], strangerCame: undefined, otherPortCame: undefined }],
    ['lenient', { seen: [here], helpers: 1, strangerCame: undefined, otherPortCame: true }],
    ['strict', { seen: [here], helpers: 1, strangerCame: undefined }],
    ['unknown', { seen: [], helpers: 0 }],
  ])('is %s', (kind, evidence) => {
    expect(judgeRouter({ ...both, ...evidence })).toBe(kind)
  })

  it('is not told apart further than what was looked at allows', () => {
    fc.assert(
      fc.property(fc.boolean(), (otherPortCame) => {
        const kind = judgeRouter({ ...both, seen: [here], helpers: 1, otherPortCame })
        expect(['lenient', 'strict']).toContain(kind)
      }),
    )
  })
})
