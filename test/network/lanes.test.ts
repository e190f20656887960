import type { Connection } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { deferred } from '../../src/foundation/concurrency.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { Bandwidth } from '../../src/network/bandwidth.ts'
import type { Connector } from '../../src/network/connector.ts'
import type { Host } from '../../src/network/host.ts'
import { nodeKeyOfIdentity } from '../../src/network/identity.ts'
import { Lanes } from '../../src/network/lanes.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { ScriptedStream } from './scripted-stream.ts'

const NODE = nodeKeyOfIdentity(new Uint8Array(32).fill(7))
const ask = { op: 'drop', ids: [] } as const
const watch = { op: 'slot-watch', watches: [], waitS: 0 } as const
const DIRECT = '/ip4/5.5.0.1/tcp/4001'
const RELAYED = '/ip4/5.5.0.2/tcp/4001/p2p-circuit'

/** A connection whose streams answer every request. */
class ScriptedConnection {
  readonly status = 'open'
  readonly timeline = { open: 0 }
  readonly streams: ScriptedStream[] = []
  readonly remoteAddr: { toString(): string }
  /** Streams are opened once this is resolved. */
  opens: Promise<unknown> = Promise.resolve()

  constructor(address: string) {
    this.remoteAddr = { toString: () => address }
  }

  async newStream(): Promise<ScriptedStream> {
    await this.opens
    const stream = new ScriptedStream()
    const send = stream.send.bind(stream)
    stream.send = (bytes) => {
      const sent = send(bytes)
      const id = stream.ids.at(-1)
      if (id !== undefined) setImmediate(() => stream.reply(id))
      return sent
    }
    this.streams.push(stream)
    return stream
  }

  abort(): void {}

  get openStreams(): number {
    return this.streams.filter(({ status }) => status === 'open').length
  }
}

function lanesOver(connections: ScriptedConnection[]): Lanes {
  const best = (): ScriptedConnection | undefined => connections[0]
  return new Lanes({
    host: { getConnections: () => connections } as unknown as Host,
    clock: systemClock,
    connector: {
      connect: () => Promise.resolve(best() as unknown as Connection),
      failed: () => undefined,
    } as unknown as Connector,
    bandwidth: new Bandwidth(systemClock),
    protocol: '/store',
    isMember: () => true,
    introduce: () => Promise.resolve(false),
  })
}

describe('lanes to a node that is reached in more than one way', () => {
  it('take the better path once there is one, and let go of the other', async () => {
    const relayed = new ScriptedConnection(RELAYED)
    const connections = [relayed]
    const lanes = lanesOver(connections)
    await lanes.call<'drop'>(NODE, ask)
    const direct = new ScriptedConnection(DIRECT)
    connections.unshift(direct)
    await lanes.move(NODE)
    expect([relayed.openStreams, direct.openStreams]).toEqual([0, 1])
    await lanes.call<'drop'>(NODE, ask)
    expect([relayed.streams.length, direct.streams.length]).toEqual([1, 1])
  })

  it('let go of the worse path, too, where the better one came while they were being opened', async () => {
    const relayed = new ScriptedConnection(RELAYED)
    const opens = deferred()
    relayed.opens = opens.promise
    const connections = [relayed]
    const lanes = lanesOver(connections)
    const calling = lanes.call<'drop'>(NODE, ask)
    await new Promise((resolve) => setImmediate(resolve))
    const direct = new ScriptedConnection(DIRECT)
    connections.unshift(direct)
    await lanes.move(NODE)
    opens.resolve()
    await calling
    expect(relayed.openStreams).toBe(1)
    await lanes.move(NODE)
    expect([relayed.openStreams, direct.openStreams]).toEqual([0, 1])
  })

  it('dial anew where the connection had ended already, and only once', async () => {
    const over = (): ScriptedConnection => {
      const connection = new ScriptedConnection(DIRECT)
      const ended = new Error('The connection muxer is "closed" and not "open"')
      ended.name = 'ConnectionClosedError'
      connection.opens = Promise.reject(ended)
      connection.opens.catch(() => undefined)
      connection.abort = () => void connections.splice(connections.indexOf(connection), 1)
      return connection
    }
    const connections: ScriptedConnection[] = []
    const fresh = new ScriptedConnection(DIRECT)
    connections.push(over(), fresh)
    await expect(lanesOver(connections).call<'drop'>(NODE, ask)).resolves.toMatchObject({
      op: 'drop',
    })
    expect(fresh.openStreams).toBe(1)
    connections.splice(0, 1, over(), over(), fresh)
    await expect(lanesOver(connections).call<'drop'>(NODE, ask)).rejects.toMatchObject({
      code: 'node-unreachable',
    })
  })

  it('stay where they are while nothing better is there', async () => {
    const direct = new ScriptedConnection(DIRECT)
    const connections = [direct]
    const lanes = lanesOver(connections)
    await lanes.call<'drop'>(NODE, ask)
    connections.push(new ScriptedConnection(RELAYED))
    await lanes.move(NODE)
    expect([direct.openStreams, direct.streams.length]).toEqual([1, 1])
  })

  it('ask once more by the next path what was under way when one was lost, and only what may be asked twice', async () => {
    const relayed = new ScriptedConnection(RELAYED)
    const connections = [relayed]
    const lanes = lanesOver(connections)
    await lanes.call<'drop'>(NODE, ask)
    const [lost] = relayed.streams
    const sends = [ask, watch].map(async (request) => await lanes.call(NODE, request))
    const direct = new ScriptedConnection(DIRECT)
    connections.splice(0, 1, direct)
    lost?.dispatchEvent(new Event('close'))
    const [asked, watched] = await Promise.allSettled(sends)
    expect(asked).toMatchObject({ status: 'fulfilled', value: { op: 'drop' } })
    expect(watched).toMatchObject({ reason: { code: 'node-unreachable' } })
    expect(direct.streams[0]?.ids).toHaveLength(1)
  })

  it('tell of the loss of the second path, too', async () => {
    const connections = [new ScriptedConnection(RELAYED)]
    const lanes = lanesOver(connections)
    await lanes.call<'drop'>(NODE, ask)
    const asking = lanes.call<'drop'>(NODE, ask)
    const second = new ScriptedConnection(DIRECT)
    second.opens = Promise.reject(new Error('it is gone'))
    second.opens.catch(() => undefined)
    const [first] = connections.splice(0, 1, second)
    first?.streams[0]?.dispatchEvent(new Event('close'))
    await expect(asking).rejects.toMatchObject({ code: 'node-unreachable' })
  })
})

describe('a request whose reply may be of any size', () => {
  const get = { op: 'get', id: blockId(new Uint8Array(32)) } as const

  /** How many streams there are after these calls; what is replied here fits none of them. */
  async function streamsAfter(...expectations: boolean[]): Promise<number> {
    const connection = new ScriptedConnection(DIRECT)
    const lanes = lanesOver([connection])
    await lanes.call<'drop'>(NODE, ask)
    for (const expectShort of expectations) {
      await expect(lanes.call<'get'>(NODE, get, { expectShort })).rejects.toThrow('protocol')
    }
    return connection.streams.length
  }

  it('keeps out of the way of small ones, on a stream of its own', async () => {
    expect(await streamsAfter(false)).toBe(2)
  })

  it('has none opened for it where the reply is expected to be short', async () => {
    expect(await streamsAfter(true, true)).toBe(1)
    expect(await streamsAfter(true, false, true)).toBe(2)
  })
})
