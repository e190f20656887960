import { describe, expect, it } from 'vitest'
import { describeTree, exitOf, tellTree } from '../../src/cli/tree-report.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { TreeReport } from '../../src/grid/maintenance/report.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'

const NODE = 'ab'.repeat(32) as NodeKey
const nameOf = (): string => 'node-07'

const WHOLE: TreeReport = {
  recoverable: true,
  healthy: true,
  blocks: { total: 1_200, healthy: 1_200, degraded: 0, lost: 0, unknown: 0 },
  slots: { total: 1, healthy: 1, degraded: 0, lost: 0, unknown: 0 },
  sharesMissing: 0,
  copiesMissing: 0,
  bytes: 5_000_000,
  broken: 0,
  pastGone: 0,
  nodesAnswered: [NODE],
  nodesSilent: [],
}
const DEGRADED: TreeReport = {
  ...WHOLE,
  healthy: false,
  blocks: { ...WHOLE.blocks, healthy: 1_199, degraded: 1 },
  sharesMissing: 2,
  copiesMissing: 1,
  nodesSilent: [NODE],
}
const UNKNOWN: TreeReport = { ...DEGRADED, recoverable: 'unknown' }
const LOST: TreeReport = {
  ...DEGRADED,
  recoverable: false,
  blocks: { ...WHOLE.blocks, healthy: 1_199, lost: 1 },
}

function said(report: TreeReport): string {
  const lines: string[] = []
  const terminal = { line: (text: string) => lines.push(text) } as unknown as Terminal
  tellTree(report, terminal, nameOf)
  return lines.join('\n')
}

describe('what is told of a tree', () => {
  it('to programs is in booleans, and what is not known is said beside them', () => {
    expect(describeTree(WHOLE, nameOf)).toEqual({ ...WHOLE, nodesAnswered: ['node-07'] })
    expect(describeTree(WHOLE, nameOf)).not.toHaveProperty('unknown')
    expect(describeTree(UNKNOWN, nameOf)).toMatchObject({ recoverable: false, unknown: true })
    expect(describeTree(LOST, nameOf)).toMatchObject({ recoverable: false })
    expect(describeTree(LOST, nameOf)).not.toHaveProperty('unknown')
  })

  it('by the status calls lost only what is', () => {
    expect([WHOLE, DEGRADED, UNKNOWN, LOST].map(exitOf)).toEqual([0, 1, 1, 2])
  })

  it('to people is in sentences', () => {
    expect(said(WHOLE)).toBe(
      'Healthy: 1,200 blocks of 4.8 MiB and 1 slot, with all their shares and copies.',
    )
    expect(said(DEGRADED)).toContain('2 shares too few')
    expect(said(DEGRADED)).toContain('1 copy of')
    expect(said(DEGRADED)).toContain('No answer from node-07.')
    expect(said(UNKNOWN)).toContain('Not certain')
    expect(said(UNKNOWN)).toContain('may be there')
    expect(said(LOST)).toContain('Lost for now')
    expect(said(LOST)).toContain('1 part cannot be read')
    expect(said({ ...WHOLE, pastGone: 3, broken: 1 })).toContain('3 parts of the past')
  })
})
