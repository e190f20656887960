import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { deferred } from '../../src/foundation/concurrency.ts'
import { ANSWER_TIMEOUT_MS, BEAT_INTERVAL_MS } from '../../src/network/heartbeat.ts'
import type { GridNetwork } from '../../src/network/open.ts'
import { UnreachableError } from '../../src/protocol/network.ts'
import { counter } from '../contracts/network.ts'
import { HastyClock } from './hasty-clock.ts'
import { eventually, keyOf, TestGrid } from './test-grid.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

describe('a heartbeat', () => {
  it('ends the connection to a node that is gone without a word', async () => {
    await using grid = new TestGrid(['node', 'client'])
    const { client, line, clock, asked } = await connectedBy(grid)
    const call = client.call<'stat'>(keyOf('node'), { op: 'stat' }).catch((error: unknown) => error)
    await asked.reaches(1)
    line.cut()
    await clock.hasTimer(BEAT_INTERVAL_MS)
    clock.fire()
    await clock.hasTimer(ANSWER_TIMEOUT_MS)
    clock.fire()
    // What may be asked twice is asked by a new connection, which is not to be had, however long one waits.
    const firing = setInterval(() => clock.fire(), 1)
    closers.push(() => clearInterval(firing))
    expect(await call).toBeInstanceOf(UnreachableError)
  })

  it('is answered by a node that is there, whose connection stays, and tells how far it is', async () => {
    await using grid = new TestGrid(['node', 'client'])
    const { client, clock } = await connectedBy(grid)
    const connectionOf = () => client.paths().peers.find(({ node }) => node === keyOf('node'))
    const before = connectionOf()
    expect(before?.roundTripMs).toBeUndefined()
    await clock.hasTimer(BEAT_INTERVAL_MS)
    clock.fire()
    await eventually(async () => {
      await Promise.resolve()
      expect(connectionOf()?.roundTripMs).toBeGreaterThanOrEqual(0)
    })
    expect(connectionOf()?.address).toBe(before?.address)
  })
})

/** A client whose line to the node can be cut as if its router had lost power: nothing arrives, and nobody is told. */
async function connectedBy(grid: TestGrid): Promise<{
  client: GridNetwork
  line: { cut: () => void }
  clock: HastyClock
  asked: ReturnType<typeof counter>
}> {
  const node = await grid.open('node')
  const asked = counter()
  node.serve({
    handle: async (_, { op }) => {
      if (op !== 'drop') asked.add()
      return op === 'drop' ? { op, dropped: 1 } : await deferred<never>().promise
    },
  })
  const line = await lineTo(Number(/tcp\/(\d+)/.exec(node.addresses()[0] ?? '')?.[1]))
  const clock = new HastyClock()
  const knownAddresses = new Map([[keyOf('node'), [`/ip4/127.0.0.1/tcp/${line.port}`]]])
  const client = await grid.open('client', { listen: [], knownAddresses, clock })
  await client.call<'drop'>(keyOf('node'), { op: 'drop', ids: [] })
  return { client, line, clock, asked }
}

async function lineTo(target: number): Promise<{ port: number; cut: () => void }> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from.on('error', () => to.destroy()))
      from.on('data', (bytes: Uint8Array) => {
        if (!isCut) to.write(bytes)
      })
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      isCut = true
    },
  }
}
