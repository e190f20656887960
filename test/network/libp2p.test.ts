import { describeNetwork } from '../contracts/network.ts'
import { keyOf, TestGrid } from './test-grid.ts'

describeNetwork('libp2p', {
  boundsInFlight: true,
  async makePair() {
    const grid = new TestGrid(['client', 'server', 'absent'])
    const server = await grid.open('server')
    const client = await grid.open('client', { listen: [], bootstrap: server.addresses() })
    return {
      client,
      server,
      absent: keyOf('absent'),
      [Symbol.asyncDispose]: () => grid[Symbol.asyncDispose](),
    }
  },
})
