import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deferred } from '../../src/foundation/concurrency.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { dialAddresses, startHost, storeProtocol, type Host } from '../../src/network/host.ts'
import { Gate } from '../../src/network/membership/gate.ts'
import { DIAL_TIMEOUT_MS, MAX_STREAMS_PER_PEER } from '../../src/network/limits.ts'
import type { GridNetwork } from '../../src/network/open.ts'
import { encodeRequest } from '../../src/protocol/codec.ts'
import { frameBytes, FrameReader } from '../../src/protocol/framing.ts'
import { decodeReply } from '../../src/protocol/codec.ts'
import { UnreachableError } from '../../src/protocol/network.ts'
import { counter } from '../contracts/network.ts'
import { pattern } from '../support/pattern.ts'
import { HastyClock } from './hasty-clock.ts'
import { identityOf, keyOf, TestGrid } from './test-grid.ts'

const gridId = identityOf('the grid')
const ask = { op: 'drop', ids: [] } as const
const anyone = { isMember: () => true, joinProtocol: undefined, clock: systemClock }

/** A libp2p host with the grid's protocols that follows none of its rules. */
async function rawHost(name: string): Promise<Host> {
  return await startHost({
    identity: identityOf(name),
    gridId,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    servesDht: true,
    gate: new Gate(anyone),
    clock: systemClock,
  })
}

async function openStream(host: Host, address: string) {
  const connection = await dialAddresses(host, [address], new AbortController().signal)
  return await connection.newStream([storeProtocol(gridId)])
}

describe('a grid is closed', () => {
  it('gives a stranger nothing: no stream, no identify, no DHT', async () => {
    await using grid = new TestGrid(['node', 'member'])
    const node = await grid.open('node')
    node.serve({ handle: () => Promise.resolve({ op: 'drop', dropped: 1 }) })
    const stranger = await rawHost('stranger')
    try {
      let identified = false
      stranger.addEventListener('peer:identify', () => (identified = true))
      await expect(openStream(stranger, node.addresses()[0] ?? '')).rejects.toThrow()
      for (const protocol of [
        `/hayloft/${Buffer.from(gridId).toString('hex').slice(0, 16)}/kad/1`,
        '/ipfs/id/1.0.0',
        '/ipfs/ping/1.0.0',
      ]) {
        const attempt = dialAddresses(stranger, node.addresses(), new AbortController().signal)
        await expect(
          attempt.then((connection) => connection.newStream([protocol])),
        ).rejects.toThrow()
      }
      expect(identified).toBe(false)
      expect(node.connected()).toEqual([])
      expect([...node.knownAddresses().keys()]).toEqual([])
    } finally {
      await stranger.stop()
    }
  })

  it('does not call a stranger, even one that answers at the address of a member', async () => {
    await using grid = new TestGrid(['client', 'member'])
    const stranger = await rawHost('stranger')
    const address = stranger.getMultiaddrs()[0]?.decapsulate('/p2p').toString() ?? ''
    try {
      const knownAddresses = new Map([[keyOf('member'), [address]]])
      const client = await grid.open('client', { listen: [], knownAddresses, bootstrap: [address] })
      await expect(client.call<'drop'>(keyOf('member'), ask)).rejects.toBeInstanceOf(
        UnreachableError,
      )
      await expect(client.call<'drop'>(keyOf('stranger'), ask)).rejects.toBeInstanceOf(
        UnreachableError,
      )
      expect(client.connected()).toEqual([])
    } finally {
      await stranger.stop()
    }
  })
})

describe('a node outlives what peers send it', () => {
  const grid = new TestGrid(['node', 'good', 'bad'])
  let node: GridNetwork
  let good: GridNetwork
  let bad: Host

  beforeAll(async () => {
    node = await grid.open('node')
    node.serve({
      handle: (_, request) =>
        Promise.resolve(request.op === 'drop' ? { op: 'drop', dropped: 1 } : { op: 'get' }),
    })
    good = await grid.open('good', { listen: [], bootstrap: node.addresses() })
    bad = await rawHost('bad')
  })
  afterAll(async () => {
    await bad.stop()
    await grid[Symbol.asyncDispose]()
  })

  const stillAnswers = async (): Promise<void> => {
    expect((await good.call<'drop'>(node.self, ask)).dropped).toBe(1)
  }

  it('answers others while a member sends random bytes and damaged frames', async () => {
    const frame = frameBytes(7, encodeRequest({ op: 'lease', ids: [], leaseS: 4 }))
    const damaged = fc
      .tuple(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(frame.length))
      .map(([at, flip, cut]) => {
        const bytes = Uint8Array.from(frame)
        bytes[at] = (bytes[at] ?? 0) ^ flip
        return bytes.subarray(0, Math.max(1, cut))
      })
    const junk = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 400 }), damaged), {
      minLength: 1,
      maxLength: 6,
    })
    await fc.assert(
      fc.asyncProperty(junk, async (pieces) => {
        const stream = await openStream(bad, node.addresses()[0] ?? '')
        for (const piece of pieces) if (stream.status === 'open') stream.send(piece)
        await stillAnswers()
        stream.abort(new Error('done'))
      }),
      { numRuns: 60 },
    )
  })

  it('names the request when only its header is malformed, and reads on', async () => {
    const stream = await openStream(bad, node.addresses()[0] ?? '')
    const reader = new FrameReader()
    const replies: [number, unknown][] = []
    const arrived = counter()
    stream.addEventListener('message', ({ data }) => {
      for (const { requestId, header, body } of reader.push(data.subarray())) {
        replies.push([requestId, decodeReply('drop', header, body)])
        arrived.add()
      }
    })
    stream.send(frameBytes(41, { header: Uint8Array.of(0xff, 0xff), body: [] }))
    stream.send(frameBytes(42, encodeRequest(ask)))
    await arrived.reaches(2)
    stream.abort(new Error('done'))
    expect(new Map(replies)).toMatchObject(
      new Map<number, unknown>([
        [41, { op: 'refused', reason: 'malformed' }],
        [42, { op: 'drop', dropped: 1 }],
      ]),
    )
  })

  it('resets a stream whose frame claims to be enormous', async () => {
    const stream = await openStream(bad, node.addresses()[0] ?? '')
    const closed = new Promise((resolve) => stream.addEventListener('close', resolve))
    stream.send(Uint8Array.of(0, 0, 0, 9, 255, 255, 255, 255, 0, 0, 0, 1))
    await closed
    await stillAnswers()
  })

  it('keeps a bounded number of streams a peer', async () => {
    const ended = counter()
    const open = async (): Promise<void> => {
      const stream = await openStream(bad, node.addresses()[0] ?? '')
      if (stream.status !== 'open') throw new Error('it was reset at once')
      stream.addEventListener('close', () => {
        ended.add()
      })
    }
    for (let at = 0; at < MAX_STREAMS_PER_PEER + 2; at++) {
      open().catch(() => {
        ended.add()
      })
    }
    await ended.reaches(2)
    await stillAnswers()
  })

  it('answers others while a stranger sends garbage over TCP', async () => {
    const port = Number(/\/tcp\/(\d+)/.exec(node.addresses()[0] ?? '')?.[1])
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => undefined)
        socket.write(bytes)
        await stillAnswers()
        socket.destroy()
      }),
      { numRuns: 30 },
    )
  })
})

describe('a frozen peer', () => {
  it('lets calls be aborted that it never answers', async () => {
    await using grid = new TestGrid(['node', 'client'])
    const node = await grid.open('node')
    const arrived = counter()
    node.serve({ handle: () => (arrived.add(), deferred<never>().promise) })
    const client = await grid.open('client', { listen: [], bootstrap: node.addresses() })
    const controller = new AbortController()
    const { signal } = controller
    const calls = Array.from({ length: 300 }, (_, index) =>
      client
        .call<'put'>(
          node.self,
          {
            op: 'put',
            manifest: Uint8Array.of(1),
            index: index % 255,
            leaseS: 1,
            shard: pattern(350_000, 1),
          },
          { signal },
        )
        .catch((error: unknown) => error),
    )
    await arrived.reaches(1)
    const reason = new Error('too slow')
    controller.abort(reason)
    expect(new Set(await Promise.all(calls))).toEqual(new Set([reason]))
  })

  it('is given up when it accepts a connection and says nothing', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const clock = new HastyClock()
    try {
      await using grid = new TestGrid(['silent', 'client'])
      const knownAddresses = new Map([[keyOf('silent'), [`/ip4/127.0.0.1/tcp/${port}`]]])
      const client = await grid.open('client', { listen: [], knownAddresses, clock })
      const call = client.call<'drop'>(keyOf('silent'), ask).catch((error: unknown) => error)
      const aborted = client
        .call<'drop'>(keyOf('silent'), ask, { signal: AbortSignal.abort(new Error('stop')) })
        .catch((error: unknown) => error)
      expect(await aborted).toMatchObject({ message: 'stop' })
      await clock.hasTimer(DIAL_TIMEOUT_MS)
      clock.fire()
      expect(await call).toBeInstanceOf(UnreachableError)
    } finally {
      for (const socket of sockets) socket.destroy()
      silent.close()
    }
  })
})
