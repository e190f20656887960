import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BorrowedNetwork, type Borrower } from '../../../src/cli/daemon/borrowed-network.ts'
import type { GridNetwork } from '../../../src/network/open.ts'
import { nodeKey, type NodeKey } from '../../../src/protocol/node-key.ts'
import { slotKey } from '../../../src/protocol/slot-key.ts'
import { ApiUnderTest, TOKEN } from '../../gateway/api/api-under-test.ts'

/** The connections of a daemon, as commands borrow them; both in this process, over a real grid. */
let api: ApiUnderTest
let node: NodeKey

beforeAll(async () => {
  api = await ApiUnderTest.start()
  const { json } = await api.ask('/v1/grid')
  node = nodeKey((json as { nodes: { key: string }[] }).nodes[0]?.key ?? '')
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

function borrow(options: { port?: number } & Partial<Borrower> = {}): BorrowedNetwork {
  const { port = api.port, ...others } = options
  const daemon = { pid: process.pid, startedMs: 0, port, self: node }
  const openOwn = async (): Promise<never> => await Promise.reject(new Error('no'))
  const borrower = { openOwn, onRemoved: () => undefined, ...others }
  return new BorrowedNetwork(daemon, { ...borrower, token: TOKEN })
}

/** A host of one's own that says which nodes it called. */
function ownHost(calls: NodeKey[]): GridNetwork {
  return {
    call: async (called: NodeKey, { op }: { op: string }) => {
      calls.push(called)
      return await Promise.resolve({ op })
    },
    [Symbol.asyncDispose]: async () => await Promise.resolve(),
  } as unknown as GridNetwork
}

/** A daemon that does with requests what a test wants. */
async function daemonThat(answers: RequestListener) {
  const server = createServer(answers).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]: () => void server.close(),
  }
}

describe('a borrowed network', () => {
  it('brings what nodes say', async () => {
    await using network = borrow()
    expect(await network.call(node, { op: 'hello' })).toMatchObject({ op: 'hello', version: 1 })
    const all = await Promise.all(
      Array.from({ length: 200 }, async () => await network.call(node, { op: 'have', ids: [] })),
    )
    expect(all).toHaveLength(200)
  })

  it('tells of nodes that cannot be reached, and of those that refuse, as any network does', async () => {
    await using network = borrow()
    const nobody = nodeKey('ab'.repeat(32))
    await expect(network.call(nobody, { op: 'hello' })).rejects.toMatchObject({
      code: 'node-unreachable',
      node: nobody,
    })
  })

  it('gives up at once when it is told to, with the reason', async () => {
    await using network = borrow()
    const stop = new AbortController()
    const [slot, known] = [slotKey(new Uint8Array(32)), new Uint8Array(32)]
    const request = { op: 'slot-watch' as const, watches: [{ slot, known }], waitS: 60 }
    const waiting = network.call<'slot-watch'>(node, request, { signal: stop.signal })
    const reason = new Error('never mind')
    setImmediate(() => stop.abort(reason))
    await expect(waiting).rejects.toBe(reason)
  })

  it('gives way to a host of its own once the daemon is gone', async () => {
    const calls: NodeKey[] = []
    const own = ownHost(calls)
    // Nothing listens there.
    await using network = borrow({ port: 1, openOwn: async () => await Promise.resolve(own) })
    await network.call(node, { op: 'hello' })
    await network.call(node, { op: 'hello' })
    expect(calls).toEqual([node, node])
  })

  it('gives way as well where the daemon ends in the middle, for what may be asked twice', async () => {
    const calls: NodeKey[] = []
    const own = ownHost(calls)
    using daemon = await daemonThat(({ socket }) => socket.destroy())
    const { port } = daemon
    await using network = borrow({ port, openOwn: async () => await Promise.resolve(own) })
    const request = { op: 'slot-watch' as const, watches: [], waitS: 60 }
    await expect(network.call<'slot-watch'>(node, request)).rejects.toMatchObject({
      code: 'node-unreachable',
    })
    expect(calls).toEqual([])
    await network.call(node, { op: 'hello' })
    expect(calls).toEqual([node])
  })

  it('says that this device was removed where the daemon has heard that', async () => {
    let removals = 0
    using daemon = await daemonThat((_, response) => {
      response.writeHead(403, { 'content-type': 'application/problem+json' })
      response.end(JSON.stringify({ code: 'not-a-member', title: 'You were removed.' }))
    })
    await using network = borrow({ port: daemon.port, onRemoved: () => (removals += 1) })
    await expect(network.call(node, { op: 'hello' })).rejects.toMatchObject({
      code: 'node-unreachable',
    })
    expect(removals).toBe(1)
  })
})
