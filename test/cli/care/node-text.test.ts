import { describe, expect, it } from 'vitest'
import { jsonOfNodes, presumptionLines } from '../../../src/cli/care/node-text.ts'
import { nodeLabel } from '../../../src/library/node-names.ts'
import type { CareMemory } from '../../../src/grid/care/memory.ts'
import { newHistory } from '../../../src/grid/care/node-history.ts'
import type { Client } from '../../../src/library/client.ts'
import { Membership } from '../../../src/protocol/membership/membership.ts'
import {
  announced,
  device,
  deviceNamed,
  GRID_ID,
  named,
  START_S,
} from '../../support/test-members.ts'

const membership = new Membership({ gridId: GRID_ID, clock: { nowMs: () => 1000 * START_S } })
for (const who of ['ada', 'ben']) {
  membership.add([named(who), device(who, `${who} attic`), announced(`${who} attic`)])
}
const client = { membership } as unknown as Client
const [ada, ben] = [deviceNamed('ada attic'), deviceNamed('ben attic')]

/** What was measured, by hours. */
function measured(hours: Record<string, number>): CareMemory {
  const nodes = [ada, ben].flatMap((node) => {
    const upMs = hours[node]
    return upMs === undefined ? [] : [{ ...newHistory(node, 0), upMs: upMs * 3_600_000 }]
  })
  return { nodes: async () => await Promise.resolve(nodes) } as unknown as CareMemory
}

describe('what is said of nodes', () => {
  it('tells chances that are presumed from those that were measured', async () => {
    const presumed = 'it is there 90 % of the time and stays for a year on average'
    const [none] = await presumptionLines(client, measured({}))
    expect(none).toContain('No node was watched for a day yet')
    expect(none).toContain(presumed)
    const [one] = await presumptionLines(client, measured({ [ada]: 30, [ben]: 0.2 }))
    expect(one).toContain('1 of 2 nodes were not watched for a day yet')
    expect(await presumptionLines(client, measured({ [ada]: 30, [ben]: 24 }))).toEqual([])
    expect(await jsonOfNodes(client, measured({ [ada]: 30, [ben]: 0.2 }))).toMatchObject([
      { owner: 'ada', measured: true, watchedS: 108_000 },
      { owner: 'ben', measured: false, watchedS: 720 },
    ])
  })

  it('names whose a node is, as many are called alike', () => {
    expect(nodeLabel(membership, ada)).toBe('ada attic of ada')
    expect(nodeLabel(membership, deviceNamed('nobody'))).toMatch(/^[0-9a-f]{12}$/)
    expect(nodeLabel(undefined, ada)).toBe(ada.slice(0, 12))
  })
})
