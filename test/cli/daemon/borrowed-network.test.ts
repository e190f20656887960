import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BorrowedNetwork } from '../../../src/cli/daemon/borrowed-network.ts'
import { homeFiles } from '../../../src/home/layout.ts'
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

function borrow(
  options: { port?: number; openOwn?: () => Promise<GridNetwork> } = {},
): BorrowedNetwork {
  const { port = api.port, openOwn = async () => await Promise.reject(new Error('no')) } = options
  const daemon = { pid: process.pid, startedMs: 0, port, self: node }
  return new BorrowedNetwork(daemon, { files: homeFiles(api.home), token: TOKEN, openOwn })
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
    const own = {
      call: async (called: NodeKey) => {
        calls.push(called)
        return await Promise.resolve({ op: 'hello' })
      },
      [Symbol.asyncDispose]: async () => await Promise.resolve(),
    } as unknown as GridNetwork
    // No daemon is on record in this home, and nothing listens there.
    await using network = borrow({ port: 1, openOwn: async () => await Promise.resolve(own) })
    await network.call(node, { op: 'hello' })
    await network.call(node, { op: 'hello' })
    expect(calls).toEqual([node, node])
  })
})
