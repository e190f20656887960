import { describe, expect, it } from 'vitest'
import { formerMembersLine, isHeldUp, leftLines } from '../../../src/cli/node/drain-text.ts'
import { DrainTally } from '../../../src/storage-node/drain/report.ts'

const share = { kind: 'share', count: 1, bytes: 1024 } as const
const ada = 'ad'.repeat(32)
const bert = 'be'.repeat(32)
const nameOf = (account: string): string => (account === ada ? 'Ada' : 'Bert')

describe('what is told of a drain', () => {
  it('says what is left, why, and who could be given more', () => {
    const tally = new DrainTally(4096)
    tally.left(share, 'quota', [bert])
    tally.left(share, 'full', [ada])
    expect(leftLines(tally.report(), nameOf)).toEqual([
      'Left here: 2.0 KiB, 2 items.',
      '  1 item: whoever leases them is beyond the quota of each node that answers',
      '  1 item: all others are full',
      'Beyond their quotas: Bert. An admin gives more by "hayloft grid member NAME --quota SIZE".',
    ])
  })

  it('tells of former members only where there are', () => {
    const tally = new DrainTally(4096)
    expect(formerMembersLine(tally.report())).toEqual([])
    tally.formerMembers(share)
    expect(formerMembersLine(tally.report())).toEqual([
      '1.0 KiB of former members stay behind: no node takes over what they stored.',
    ])
  })

  it('holds nobody up for the sake of their own quota', () => {
    const tally = new DrainTally(4096)
    tally.formerMembers(share)
    expect(isHeldUp(tally.report(), undefined)).toBe(false)
    tally.left(share, 'quota', [ada])
    expect(isHeldUp(tally.report(), ada)).toBe(false)
    expect(isHeldUp(tally.report(), undefined)).toBe(true)
    tally.left(share, 'quota', [ada, bert])
    expect(isHeldUp(tally.report(), ada)).toBe(true)
    const full = new DrainTally(4096)
    full.left(share, 'full', [ada])
    expect(isHeldUp(full.report(), ada)).toBe(true)
  })
})
