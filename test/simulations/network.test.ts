import { describe, expect, it } from 'vitest'
import { deferred } from '../../src/foundation/concurrency.ts'
import { RefusedError, UnreachableError } from '../../src/protocol/network.ts'
import type { StorageService } from '../../src/protocol/network.ts'
import type { Reply } from '../../src/protocol/messages.ts'
import { SimulatedClock } from '../../simulations/clock.ts'
import { CONNECT_TIMEOUT_MS, SILENCE_NOTICED_MS } from '../../simulations/link.ts'
import type { LinkConditions } from '../../simulations/link.ts'
import { randomNodeKey, SimulatedNetwork } from '../../simulations/network.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import { describeNetwork } from '../contracts/network.ts'

describeNetwork('the simulated network', {
  makePair: async () => {
    const { network, client, server } = pairOf({ latencyMs: 1 })
    const over = deferred()
    const flow = network.clock.run(() => over.promise, { limitMs: Infinity, mayIdle: true })
    return {
      client,
      server,
      absent: randomNodeKey(network.randomness),
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
        over.resolve()
        await flow
      },
    }
  },
  boundsInFlight: true,
})

describe('the simulated network', () => {
  it('lets a call cost a round trip and its bytes at the speed of the link', async () => {
    const { network, client, server } = pairOf({ latencyMs: 40, bytesPerMs: 10 })
    server.serve(answering({ op: 'drop', dropped: 1 }))
    await network.clock.run(() => client.call<'drop'>(server.self, { op: 'drop', ids: [] }))
    const bytes = network.traffic.requestBytes('drop') + network.traffic.replyBytes('drop')
    expect(network.clock.monotonicMs()).toBeCloseTo(80 + bytes / 10)
    expect(network.traffic.byOp()).toEqual({ drop: 1 })
  })

  it('takes the worse of two ends', () => {
    const { network, client, server } = pairOf({ latencyMs: 1 })
    network.setLink(client.self, { latencyMs: 5, bytesPerMs: 100 })
    network.setLink(server.self, { latencyMs: 3, bytesPerMs: 7, breakChance: 0.5 })
    expect(network.link(client.self, server.self)).toEqual({
      latencyMs: 5,
      bytesPerMs: 7,
      breakChance: 0.5,
      stallChance: 0,
    })
  })

  it('tells at once when a connection breaks, and late when it falls silent', async () => {
    const breaking = await failure({ latencyMs: 5, breakChance: 1 })
    expect(breaking).toMatchObject({ error: expect.any(UnreachableError), afterMs: 5 })
    const silent = await failure({ latencyMs: 5, stallChance: 1 })
    expect(silent).toMatchObject({
      error: expect.any(UnreachableError),
      afterMs: SILENCE_NOTICED_MS,
    })
  })

  it('lets nothing through a partition, and all again when it has healed', async () => {
    const { network, client, server } = pairOf({ latencyMs: 1 })
    server.serve(answering(hello))
    network.partition([server.self])
    const call = (): Promise<unknown> => client.call<'hello'>(server.self, { op: 'hello' })
    await expect(network.clock.run(call)).rejects.toBeInstanceOf(UnreachableError)
    expect(network.clock.monotonicMs()).toBe(CONNECT_TIMEOUT_MS)
    network.heal()
    await expect(network.clock.run(call)).resolves.toEqual(hello)
  })

  it('keeps what reaches a frozen node for when it thaws', async () => {
    const { network, client, server } = pairOf({ latencyMs: 1 })
    server.serve(answering(hello))
    server.freeze()
    network.clock.after(90_000, () => {
      server.thaw()
    })
    const call = network.clock.run(() => client.call<'hello'>(server.self, { op: 'hello' }))
    await expect(call).resolves.toEqual(hello)
    expect(network.clock.monotonicMs()).toBe(90_001)
  })

  it('breaks what a crashing node had in hand, and finds its next life', async () => {
    const { network, client, server } = pairOf({ latencyMs: 1 })
    const gone: unknown[] = []
    server.serve({
      handle: (_, __, signal) => {
        signal?.addEventListener('abort', () => gone.push(signal.reason))
        return deferred<Reply>().promise
      },
    })
    network.clock.after(10, () => {
      server.crash()
    })
    const call = (): Promise<unknown> => client.call<'hello'>(server.self, { op: 'hello' })
    await expect(network.clock.run(call)).rejects.toBeInstanceOf(UnreachableError)
    expect(gone).toHaveLength(1)
    await expect(network.clock.run(call)).rejects.toBeInstanceOf(UnreachableError)
    server.restart()
    await expect(network.clock.run(call)).rejects.toBeInstanceOf(RefusedError)
    server.serve(answering(hello))
    await expect(network.clock.run(call)).resolves.toEqual(hello)
  })
})

const hello = { op: 'hello', version: 1, capacityBytes: 1_000, inFlightBytes: 1 } as const

function pairOf(link: Partial<LinkConditions>) {
  const randomness = new SeededRandomness('network test')
  const network = new SimulatedNetwork({ clock: new SimulatedClock(), randomness, link })
  return { network, client: network.join(), server: network.join() }
}

function answering(reply: Reply): StorageService {
  return { handle: () => Promise.resolve(reply) }
}

async function failure(link: Partial<LinkConditions>) {
  const { network, client, server } = pairOf(link)
  server.serve(answering(hello))
  const error: unknown = await network.clock
    .run(() => client.call<'hello'>(server.self, { op: 'hello' }))
    .catch((error: unknown) => error)
  return { error, afterMs: network.clock.monotonicMs() }
}
