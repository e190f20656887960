import { afterAll, expect, it } from 'vitest'
import { assert } from '../../src/foundation/error.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { readOwnGrid } from '../../src/home/own-grid.ts'
import { eventually, NatGrid } from './nat-grid.ts'
import { Testbed } from './testbed.ts'

const obstacle = await Testbed.obstacle()
let grid: NatGrid | undefined
afterAll(async () => await grid?.[Symbol.asyncDispose]())

it('lets members on one network find each other though nobody told them where', async () => {
  if (obstacle !== undefined) {
    process.stdout.write(`Members on one network are not tested here: ${obstacle}.\n`)
    expect(obstacle).not.toBe('')
    return
  }
  grid = await NatGrid.build({
    publicHosts: { away: 1, ann: 11, ben: 12 },
    houses: [],
    homes: [
      { name: 'away', role: 'storage' },
      { name: 'ann', role: 'storage' },
      { name: 'ben', role: 'storage' },
    ],
  })
  await grid.bed.addAddress('ann', '192.168.77.11/24')
  await grid.bed.addAddress('ben', '192.168.77.12/24')
  // The only address that they know is that of a member who is away.
  await grid.startNode('ann')
  await grid.startNode('ben')
  await eventually(async () => {
    expect(await addressesKnownTo('ben', 'ann')).toContainEqual(expect.stringContaining('.11/tcp'))
    expect(await addressesKnownTo('ann', 'ben')).toContainEqual(expect.stringContaining('.12/tcp'))
  })

  async function addressesKnownTo(one: string, other: string): Promise<readonly string[]> {
    assert(grid !== undefined, 'the grid was built')
    const own = await readOwnGrid(homeFiles(grid.homeOf(one)), systemClock)
    assert(own !== undefined, 'the home has a grid')
    const device = own.membership.members
      .flatMap(({ devices }) => devices)
      .find(({ name }) => name === other)
    return device?.announcement?.addresses ?? []
  }
}, 60_000)
