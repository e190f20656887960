import { connect, createServer, Socket, type AddressInfo } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { concatBytes, viewOf } from '../../src/foundation/bytes.ts'
import { keyOf, TestGrid } from './test-grid.ts'

const opened: { close(): unknown }[] = []
afterEach(() => {
  for (const each of opened.splice(0)) each.close()
})

it('sends a small request and its reply as one message each', async () => {
  await using grid = new TestGrid(['node', 'client'])
  const node = await grid.open('node')
  node.serve({ handle: () => Promise.resolve({ op: 'drop', dropped: 1 }) })
  const wire = await wiretap(Number(/tcp\/(\d+)/.exec(node.addresses()[0] ?? '')?.[1]))
  const knownAddresses = new Map([[keyOf('node'), [`/ip4/127.0.0.1/tcp/${wire.port}`]]])
  const client = await grid.open('client', { listen: [], knownAddresses })
  const ask = async (): Promise<unknown> =>
    await client.call<'drop'>(keyOf('node'), { op: 'drop', ids: [] })
  await ask()
  const before = wire.messages()
  for (let call = 0; call < CALLS; call++) await ask()
  const after = wire.messages()
  // Getting to know each other goes on for a while beside the calls.
  for (const way of ['there', 'back'] as const) {
    expect(after[way] - before[way]).toBeGreaterThanOrEqual(CALLS)
    expect(after[way] - before[way]).toBeLessThan(CALLS * 1.5)
  }
})

it('hands what is large to the system in few writes', async () => {
  await using grid = new TestGrid(['node', 'client'])
  const node = await grid.open('node')
  node.serve({ handle: () => Promise.resolve({ op: 'put', outcome: 'stored' }) })
  const knownAddresses = new Map([[keyOf('node'), node.addresses()]])
  const client = await grid.open('client', { listen: [], knownAddresses })
  const shard = new Uint8Array(1024 * 1024)
  const put = async (): Promise<unknown> =>
    await client.call<'put'>(keyOf('node'), {
      op: 'put',
      manifest: new Uint8Array(100),
      index: 0,
      leaseS: 1,
      shard,
    })
  await put()
  const writes = [vi.spyOn(Socket.prototype, '_write'), vi.spyOn(Socket.prototype, '_writev')]
  for (let call = 0; call < PUTS; call++) await put()
  const count = writes.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  for (const spy of writes) spy.mockRestore()
  // Noise makes 17 messages of each, and three pieces of each message.
  expect(count / PUTS).toBeLessThan(20)
})

const CALLS = 100
const PUTS = 20

/** Passes all on to a port of this machine, and counts the messages of Noise each way. */
async function wiretap(
  target: number,
): Promise<{ port: number; messages: () => { there: number; back: number } }> {
  const there: Uint8Array[] = []
  const back: Uint8Array[] = []
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const [from, to, seen] of [
      [near, far, there],
      [far, near, back],
    ] as const) {
      sockets.add(from.on('error', () => to.destroy()))
      from.on('data', (bytes: Uint8Array) => (seen.push(bytes), to.write(bytes)))
      from.on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  })
  const { port } = server.address() as AddressInfo
  return { port, messages: () => ({ there: countMessages(there), back: countMessages(back) }) }
}

/** What both sides say first is how to encrypt: two lines, each after a byte with its length. */
const OPENING_BYTES = 1 + '/multistream/1.0.0\n'.length + 1 + '/noise\n'.length

function countMessages(seen: readonly Uint8Array[]): number {
  const bytes = concatBytes(seen)
  let count = 0
  for (let at = OPENING_BYTES; at + 2 <= bytes.length; count++)
    at += 2 + viewOf(bytes).getUint16(at)
  return count
}
