import { describe, expect, it } from 'vitest'
import { readAll } from '../../simulations/bytes.ts'
import { equalBytes } from '../../src/foundation/bytes.ts'
import { someBytes, testGrid, threeOfTen } from '../support/grid.ts'

const content = someBytes(3 * 2 ** 20)

/** Bytes a millisecond, from 256 kbit/s to 40 Mbit/s. */
const RATES = [32, 125, 1000, 5000]

describe.each(RATES)('over a line of %i bytes a ms', (rate) => {
  it('an upload takes what the line needs for it, and repeats nothing', async () => {
    await using grid = await testGrid({ nodes: 10 })
    const { network, client } = grid.world
    network.setLine(client.endpoint.self, { upBytesPerMs: rate, downBytesPerMs: 10 * rate })
    const { result, traffic, tookMs } = await grid.measure(async () =>
      grid.put(content, { code: threeOfTen }),
    )
    expect(result).toMatchObject({ health: 'healthy' })
    expect(traffic.requestBytes('put')).toBeLessThan(1.01 * result.sentBytes)
    expect(tookMs).toBeLessThan(1.05 * (result.sentBytes / rate))
  })

  it('a download takes what the line needs for it, and asks for hardly more', async () => {
    await using grid = await testGrid({ nodes: 10, clients: 2 })
    const { capability } = await grid.store(content, { code: threeOfTen })
    const { network, clients } = grid.world
    // Another process, which knows nothing yet of how fast nodes are.
    const reader = clients[1]!
    network.setLine(reader.endpoint.self, { upBytesPerMs: rate, downBytesPerMs: rate })
    const { traffic, tookMs } = await grid.measure(async () =>
      grid.run(async () => await readAll(reader.grid, capability)),
    )
    reader.grid[Symbol.dispose]()
    expect(traffic.replyBytes('get')).toBeLessThan(1.15 * content.length)
    expect(tookMs).toBeLessThan(1.15 * (content.length / rate))
  })

  it('a frozen node is still told from a slow line', async () => {
    await using grid = await testGrid({ nodes: 10 })
    const { network, client } = grid.world
    network.setLine(client.endpoint.self, { upBytesPerMs: rate, downBytesPerMs: rate })
    const frozen = grid.nodes[3]!
    frozen.freeze()
    const upload = await grid.measure(async () => grid.put(content, { code: threeOfTen }))
    const { health, sentBytes, capability } = upload.result
    expect(health).toBe('degraded')
    // At the end it waits for as long as the line may need for what the frozen node was sent, but for half a minute at most.
    const graceMs = Math.min(30_000, sentBytes / rate / 2)
    expect(upload.tookMs).toBeLessThan(1.05 * (sentBytes / rate) + 3_000 + graceMs)
    const download = await grid.measure(async () => await grid.get(capability))
    expect(equalBytes(download.result, content)).toBe(true)
    expect(download.tookMs).toBeLessThan(1.05 * (content.length / rate) + 1_000)
  })
})
