import { describe, expect, it } from 'vitest'
import { UnreachableError, type StorageService } from '../../src/protocol/network.ts'
import { eventually, keyOf, TestGrid } from './test-grid.ts'

const answering: StorageService = {
  handle: () => Promise.resolve({ op: 'drop', dropped: 1 }),
}
const ask = { op: 'drop', ids: [] } as const

describe('discovery', () => {
  it('finds every node from the address of one', async () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    await using grid = new TestGrid([...names, 'client'])
    const first = await grid.open('a')
    first.serve(answering)
    for (const name of names.slice(1)) {
      const node = await grid.open(name, { bootstrap: first.addresses() })
      node.serve(answering)
    }
    const client = await grid.open('client', { listen: [], bootstrap: first.addresses() })
    for (const name of names) {
      const reply = await eventually(() => client.call<'drop'>(keyOf(name), ask))
      expect(reply.dropped).toBe(1)
    }
    expect(client.connected().toSorted()).toEqual(names.map(keyOf).toSorted())
    expect([...client.knownAddresses().keys()].toSorted()).toEqual(names.map(keyOf).toSorted())
  })

  it('needs no bootstrap when addresses are kept from an earlier run', async () => {
    await using grid = new TestGrid(['node', 'client'])
    const node = await grid.open('node')
    node.serve(answering)
    const earlier = await grid.open('client', { listen: [], bootstrap: node.addresses() })
    await earlier.call<'drop'>(node.self, ask)
    const knownAddresses = earlier.knownAddresses()
    await earlier[Symbol.asyncDispose]()
    const client = await grid.open('client', { listen: [], knownAddresses })
    expect((await client.call<'drop'>(node.self, ask)).dropped).toBe(1)
  })

  it('finds a node again that has restarted at another port', async () => {
    await using grid = new TestGrid(['hub', 'node', 'client'])
    const hub = await grid.open('hub')
    const bootstrap = hub.addresses()
    const before = await grid.open('node', { bootstrap })
    before.serve(answering)
    const client = await grid.open('client', { listen: [], bootstrap })
    await eventually(() => client.call<'drop'>(before.self, ask))
    const oldAddresses = before.addresses()
    await before[Symbol.asyncDispose]()
    await expect(client.call<'drop'>(before.self, ask)).rejects.toBeInstanceOf(UnreachableError)

    const after = await grid.open('node', { bootstrap })
    after.serve(answering)
    expect(after.addresses()).not.toEqual(oldAddresses)
    const reply = await eventually(() => client.call<'drop'>(after.self, ask))
    expect(reply.dropped).toBe(1)
  })

  it('lets nodes call back a client through the connection that it made', async () => {
    await using grid = new TestGrid(['node', 'client'])
    const node = await grid.open('node')
    node.serve(answering)
    const client = await grid.open('client', { listen: [], bootstrap: node.addresses() })
    client.serve({ handle: () => Promise.resolve({ op: 'drop', dropped: 5 }) })
    await client.call<'drop'>(node.self, ask)
    expect((await node.call<'drop'>(client.self, ask)).dropped).toBe(5)
  })

  it('fails at once for a moment after a node was found unreachable', async () => {
    await using grid = new TestGrid(['gone', 'client'])
    const gone = await grid.open('gone')
    const knownAddresses = new Map([[gone.self, gone.addresses()]])
    await gone[Symbol.asyncDispose]()
    const client = await grid.open('client', { listen: [], knownAddresses })
    const errors = []
    for (let call = 0; call < 20; call++) {
      errors.push(await client.call<'drop'>(gone.self, ask).catch((error: unknown) => error))
    }
    expect(errors[0]).toBeInstanceOf(UnreachableError)
    // The very error of the one dial, not twenty of them.
    expect(new Set(errors).size).toBe(1)
  })

  it('answers calls to itself', async () => {
    await using grid = new TestGrid(['node'])
    const node = await grid.open('node')
    node.serve(answering)
    expect((await node.call<'drop'>(node.self, ask)).dropped).toBe(1)
  })
})
