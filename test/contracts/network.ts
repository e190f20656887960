import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deferred, type Deferred } from '../../src/foundation/concurrency.ts'
import type { Op, Reply, Request, ReplyOf } from '../../src/protocol/messages.ts'
import {
  RefusedError,
  UnreachableError,
  type Network,
  type Refusal,
  type StorageService,
} from '../../src/protocol/network.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'
import { pattern } from '../support/pattern.ts'
import { anId, hello, putRequest, share, shareSamples } from './share-samples.ts'
import { slotSamples } from './slot-samples.ts'

/** Two hosts of one grid that can reach each other, whatever the network is made of. */
export interface NetworkPair extends AsyncDisposable {
  /** The client asks; the server, where the suite puts its services, answers. */
  readonly client: Network
  readonly server: Network
  /** A member of the grid that is away. */
  readonly absent: NodeKey
}

export interface NetworkTraits {
  readonly makePair: () => Promise<NetworkPair>
  /** The bytes are really copied and paced: the laws about what is in flight can be observed. */
  readonly boundsInFlight: boolean
}

/** The laws that every `Network` keeps. */
export function describeNetwork(name: string, { makePair, boundsInFlight }: NetworkTraits): void {
  describe(`${name} keeps the laws of a network`, () => {
    let pair: NetworkPair
    beforeEach(async () => {
      pair = await makePair()
    })
    afterEach(async () => {
      await pair[Symbol.asyncDispose]()
    })

    it.each([...shareSamples, ...slotSamples])(
      'carries $request.op there and back unchanged',
      async ({ request, reply }) => {
        const seen: Request[] = []
        pair.server.serve(service((_, received) => (seen.push(received), reply)))
        const answer = await callAny(pair, request)
        expect(plain(seen)).toEqual(plain([request]))
        expect(plain(answer)).toEqual(plain(reply))
      },
    )

    it('tells the service who calls', async () => {
      const callers: NodeKey[] = []
      pair.server.serve(service((caller) => (callers.push(caller), { op: 'drop', dropped: 1 })))
      await pair.client.call<'drop'>(pair.server.self, { op: 'drop', ids: [] })
      expect(callers).toEqual([pair.client.self])
    })

    it('carries the largest bodies intact, both ways at once', async () => {
      const stored = new Map<number, Uint8Array>()
      pair.server.serve(
        service((_, request) => {
          if (request.op === 'put') stored.set(request.index, request.shard)
          const index = request.op === 'get' ? (request.index ?? 0) : 0
          if (request.op === 'get') return share(index, stored.get(index) ?? new Uint8Array(1))
          return { op: 'put', outcome: 'stored' }
        }),
      )
      const bodies = Array.from({ length: 12 }, (_, index) => pattern(1_048_652 - index, index))
      await Promise.all(
        bodies.map((shard, index) =>
          pair.client.call<'put'>(pair.server.self, { ...putRequest, index, shard }),
        ),
      )
      const read = await Promise.all(
        bodies.map((_, index) =>
          pair.client.call<'get'>(pair.server.self, { op: 'get', id: anId, index }),
        ),
      )
      const same = read.map((reply, at) =>
        Buffer.from(reply.share?.bytes ?? []).equals(bodies[at] ?? Buffer.of()),
      )
      expect(same).toEqual(bodies.map(() => true))
    })

    it('matches replies to requests when they come in any order', async () => {
      const answers: Deferred<Reply>[] = []
      const arrived = counter()
      pair.server.serve(
        service((_, request) => {
          const answer = deferred<Reply>()
          answers[request.op === 'lease' ? request.leaseS : 0] = answer
          arrived.add()
          return answer.promise
        }),
      )
      const calls = Array.from({ length: 20 }, (_, leaseS) =>
        pair.client.call<'lease'>(pair.server.self, { op: 'lease', ids: [anId], leaseS }),
      )
      await arrived.reaches(20)
      for (const at of [...answers.keys()].reverse()) {
        answers[at]?.resolve({ op: 'lease', holdings: [Uint8Array.of(at + 1)] })
      }
      const replies = await Promise.all(calls)
      expect(replies.map((reply) => reply.holdings[0]?.[0])).toEqual(replies.map((_, at) => at + 1))
    })

    it('does not let a slow request hold up others', async () => {
      const never = deferred<Reply>()
      pair.server.serve(
        service((_, request) =>
          request.op === 'put' ? never.promise : { op: 'drop', dropped: 7 },
        ),
      )
      const slow = pair.client.call<'put'>(pair.server.self, {
        ...putRequest,
        shard: pattern(500_000, 1),
      })
      slow.catch(() => undefined)
      const reply = await pair.client.call<'drop'>(pair.server.self, { op: 'drop', ids: [anId] })
      expect(reply.dropped).toBe(7)
      never.resolve({ op: 'put', outcome: 'have' })
      expect((await slow).outcome).toBe('have')
    })

    it('rejects an aborted call with the reason of its signal, and goes on', async () => {
      const arrived = counter()
      const never = deferred<Reply>()
      pair.server.serve(
        service((_, request) => {
          arrived.add()
          return request.op === 'hello' ? never.promise : { op: 'drop', dropped: 2 }
        }),
      )
      const controller = new AbortController()
      const { signal } = controller
      const aborted = pair.client.call<'hello'>(pair.server.self, { op: 'hello' }, { signal })
      aborted.catch(() => undefined)
      await arrived.reaches(1)
      const reason = new Error('changed my mind')
      controller.abort(reason)
      await expect(aborted).rejects.toBe(reason)
      never.resolve(hello)
      const reply = await pair.client.call<'drop'>(pair.server.self, { op: 'drop', ids: [] })
      expect(reply.dropped).toBe(2)
      await expect(
        pair.client.call<'hello'>(pair.server.self, { op: 'hello' }, { signal }),
      ).rejects.toBe(reason)
    })

    it('turns a refusal into an error that says why', async () => {
      const refusal: Refusal = { op: 'refused', reason: 'busy', message: 'Try again later.' }
      pair.server.serve(service(() => refusal))
      const error = await pair.client
        .call(pair.server.self, { op: 'hello' })
        .catch((e: unknown) => e)
      expect(error).toBeInstanceOf(RefusedError)
      expect(error).toMatchObject({ code: 'node-refused', reason: 'busy', node: pair.server.self })
    })

    it('refuses when nothing is served', async () => {
      const call = pair.client.call<'hello'>(pair.server.self, { op: 'hello' })
      await expect(call).rejects.toMatchObject({ code: 'node-refused', reason: 'unserved' })
    })

    it('answers for a service that throws', async () => {
      pair.server.serve(service(() => Promise.reject(new Error('a bug'))))
      const call = pair.client.call<'hello'>(pair.server.self, { op: 'hello' })
      await expect(call).rejects.toMatchObject({ code: 'node-refused', reason: 'internal' })
    })

    it('says that a node is unreachable when it is away', async () => {
      const call = pair.client.call<'hello'>(pair.absent, { op: 'hello' })
      await expect(call).rejects.toBeInstanceOf(UnreachableError)
    })

    it('rejects outstanding calls when the node goes away', async () => {
      const arrived = counter()
      pair.server.serve(service(() => (arrived.add(), deferred<Reply>().promise)))
      const calls = [1, 2, 3].map(() =>
        settled(pair.client.call<'hello'>(pair.server.self, { op: 'hello' })),
      )
      await arrived.reaches(3)
      await pair.server[Symbol.asyncDispose]()
      for (const error of await Promise.all(calls)) expect(error).toBeInstanceOf(UnreachableError)
    })

    it('rejects outstanding and later calls when it is closed itself', async () => {
      const arrived = counter()
      pair.server.serve(service(() => (arrived.add(), deferred<Reply>().promise)))
      const call = settled(pair.client.call<'hello'>(pair.server.self, { op: 'hello' }))
      await arrived.reaches(1)
      await pair.client[Symbol.asyncDispose]()
      expect(await call).toBeInstanceOf(UnreachableError)
      const later = settled(pair.client.call<'hello'>(pair.server.self, { op: 'hello' }))
      expect(await later).toBeInstanceOf(UnreachableError)
    })

    it('tells the service when the caller is gone', async () => {
      const gone = deferred()
      const arrived = counter()
      pair.server.serve({
        handle: (_, __, signal) => {
          arrived.add()
          signal?.addEventListener('abort', () => {
            gone.resolve()
          })
          return deferred<Reply>().promise
        },
      })
      pair.client.call<'hello'>(pair.server.self, { op: 'hello' }).catch(() => undefined)
      await arrived.reaches(1)
      await pair.client[Symbol.asyncDispose]()
      await gone.promise
    })

    it.runIf(boundsInFlight)(
      'serves a flood in the end, a bounded part of it at a time',
      async () => {
        let inFlight = 0
        let most = 0
        pair.server.serve(
          service(async () => {
            most = Math.max(most, ++inFlight)
            await new Promise(setImmediate)
            inFlight--
            return { op: 'drop', dropped: 0 }
          }),
        )
        const calls = Array.from({ length: 2_000 }, () =>
          pair.client.call<'drop'>(pair.server.self, { op: 'drop', ids: [anId] }),
        )
        expect((await Promise.all(calls)).length).toBe(2_000)
        expect(most).toBeGreaterThan(1)
        expect(most).toBeLessThanOrEqual(128)
      },
    )
  })
}

function callAny<O extends Op>(
  { client, server }: NetworkPair,
  request: Request,
): Promise<ReplyOf<O>> {
  return client.call<O>(server.self, request)
}

function service(
  answer: (caller: NodeKey, request: Request) => Reply | Refusal | Promise<Reply | Refusal>,
): StorageService {
  return { handle: async (caller, request) => await answer(caller, request) }
}

/** The same value with arrays of numbers for bytes, so that kinds of arrays do not matter to a comparison. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

async function settled(call: Promise<unknown>): Promise<unknown> {
  return await call.then(
    () => 'answered',
    (error: unknown) => error,
  )
}

/** Counts events and lets a test wait for the nth. */
export function counter(): { add(): void; reaches(count: number): Promise<void> } {
  let count = 0
  const waiting: { at: number; resolve: () => void }[] = []
  return {
    add() {
      count++
      for (const { at, resolve } of waiting) if (count >= at) resolve()
    },
    async reaches(at) {
      if (count >= at) return
      await new Promise<void>((resolve) => waiting.push({ at, resolve }))
    },
  }
}
