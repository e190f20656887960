import { expect, it } from 'vitest'
import { readAll } from '../../simulations/bytes.ts'
import { someBytes, testGrid, threeOfTen } from '../support/grid.ts'

const content = someBytes(12 * 2 ** 20)

it.each([600, 2400, 10_000])(
  'a download asks for hardly more than it needs of lines that are merely full: %i bytes a ms',
  async (bytesPerMs) => {
    await using grid = await testGrid({ nodes: 10, clients: 2 })
    const { capability } = await grid.store(content, { code: threeOfTen })
    for (const { key } of grid.nodes) {
      grid.world.network.setLink(key, { latencyMs: 25, bytesPerMs })
    }
    // Another process, which knows nothing yet of how fast nodes are.
    const reader = grid.world.clients[1]!.grid
    const { traffic } = await grid.measure(async () =>
      grid.run(async () => await readAll(reader, capability)),
    )
    reader[Symbol.dispose]()
    expect(traffic.replyBytes('get')).toBeLessThan(1.08 * content.length)
  },
)
