import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../simulations/clock.ts'
import { sleep } from '../../src/foundation/clock.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { FairBucket } from '../../src/network/bandwidth.ts'
import { nodeKey, type NodeKey } from '../../src/protocol/node-key.ts'
import { TestGrid } from './test-grid.ts'

const peer = (name: string): NodeKey => nodeKey(Buffer.from(name).toString('hex').padEnd(64, '0'))

/** Takes pieces of one size one after another until the time is over. @returns how much */
async function greedy(
  bucket: FairBucket,
  clock: SimulatedClock,
  { who, bytes, untilMs }: { who: NodeKey; bytes: number; untilMs: number },
): Promise<number> {
  let sum = 0
  while (clock.monotonicMs() < untilMs) {
    await bucket.take(who, bytes)
    if (clock.monotonicMs() < untilMs) sum += bytes
  }
  return sum
}

describe('a limit of bandwidth', () => {
  it('holds over time, whatever is taken by whomever, and wastes none', async () => {
    const taker = fc.record({ bytes: fc.integer({ min: 1, max: 3000 }), who: fc.nat(4) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(taker, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 5_000, max: 50_000 }),
        async (takers, bytesPerS) => {
          const clock = new SimulatedClock()
          const bucket = new FairBucket(clock)
          bucket.limit(bytesPerS)
          const untilMs = clock.monotonicMs() + 20_000
          const sums = await clock.run(() =>
            Promise.all(
              takers.map(({ who, bytes }) =>
                greedy(bucket, clock, { who: peer(String(who)), bytes, untilMs }),
              ),
            ),
          )
          const sum = sums.reduce((all, each) => all + each, 0)
          // A burst of a quarter of a second at first, and a debt of one piece in the end.
          expect(sum).toBeLessThanOrEqual(20.25 * bytesPerS + 3000)
          expect(sum).toBeGreaterThanOrEqual(20 * bytesPerS - 6 * 3000)
        },
      ),
      { numRuns: 40 },
    )
  })

  it('gives peers that always want more equally many bytes, however they cut them', async () => {
    const clock = new SimulatedClock()
    const bucket = new FairBucket(clock)
    bucket.limit(100_000)
    const untilMs = clock.monotonicMs() + 30_000
    const takers = [
      { who: peer('one'), bytes: 10_000, untilMs },
      { who: peer('two'), bytes: 100, untilMs },
      // Two streams of one peer are one peer.
      { who: peer('three'), bytes: 5_000, untilMs },
      { who: peer('three'), bytes: 5_000, untilMs },
    ]
    const [one = 0, two = 0, three = 0, threeToo = 0] = await clock.run(() =>
      Promise.all(takers.map((taker) => greedy(bucket, clock, taker))),
    )
    for (const sum of [one, two, three + threeToo]) {
      expect(sum).toBeGreaterThan(0.95e6)
      expect(sum).toBeLessThan(1.05e6)
    }
  })

  it('lets a peer that comes now and then pass soon', async () => {
    const clock = new SimulatedClock()
    const bucket = new FairBucket(clock)
    bucket.limit(100_000)
    const untilMs = clock.monotonicMs() + 10_000
    const waits: number[] = []
    await clock.run(async () => {
      const crowd = [1, 2, 3].map((at) =>
        greedy(bucket, clock, { who: peer(`greedy ${at}`), bytes: bucket.pieceBytes, untilMs }),
      )
      for (let at = 0; at < 5; at++) {
        await sleep(clock, 1000)
        const beganMs = clock.monotonicMs()
        await bucket.take(peer('now and then'), 200)
        waits.push(clock.monotonicMs() - beganMs)
      }
      await Promise.all(crowd)
    })
    expect(Math.max(...waits)).toBeLessThanOrEqual(4 * 125)
  })

  it('may be changed and lifted while peers wait', async () => {
    const clock = new SimulatedClock()
    const bucket = new FairBucket(clock)
    expect(bucket.take(peer('a'), 1e9)).toBeUndefined()
    bucket.limit(1000)
    expect(bucket.take(peer('a'), 1e9)).toBeUndefined()
    const waiting = [peer('a'), peer('b')].map((who) => bucket.take(who, 500))
    expect(waiting.every((turn) => turn !== undefined)).toBe(true)
    bucket.limit(undefined)
    await Promise.all(waiting.map(async (turn) => await turn))
    expect(bucket.take(peer('a'), 5)).toBeUndefined()
    expect(bucket.takenBytes).toBe(2e9 + 1005)
  })
})

describe('a host with limits', () => {
  it('keeps to them in what it serves and asks, and loses nothing', async () => {
    await using grid = new TestGrid(['node', 'client'])
    const node = await grid.open('node')
    const bytes = new Uint8Array(400_000).fill(7)
    const share = { manifest: bytes.subarray(0, 40), index: 0, held: bytes.subarray(0, 1) }
    node.serve({
      handle: (_, request) =>
        Promise.resolve(
          request.op === 'put'
            ? { op: 'put', outcome: 'stored' }
            : { op: 'get', share: { ...share, proof: new Uint8Array(0), bytes } },
        ),
    })
    const client = await grid.open('client', { listen: [], bootstrap: node.addresses() })
    const put = {
      op: 'put',
      manifest: bytes.subarray(0, 40),
      index: 1,
      leaseS: 1,
      shard: bytes,
    } as const
    const id = bytes.subarray(0, 32) as never
    for (const host of [node, client]) {
      host.limit({ uploadBytesPerS: 800_000, downloadBytesPerS: 800_000 })
      const before = host.traffic()
      const beganMs = systemClock.monotonicMs()
      const gets = [1, 2].map(() => client.call<'get'>(node.self, { op: 'get', id }))
      const puts = [1, 2].map(() => client.call<'put'>(node.self, put))
      for (const reply of await Promise.all(gets)) {
        expect(reply.share?.bytes.every((byte) => byte === 7)).toBe(true)
      }
      for (const { outcome } of await Promise.all(puts)) expect(outcome).toBe('stored')
      // 800,000 bytes each way, of which a quarter of a second's worth and one piece pass at once.
      expect(systemClock.monotonicMs() - beganMs).toBeGreaterThan(500)
      const after = host.traffic()
      expect(after.sentBytes - before.sentBytes).toBeGreaterThan(800_000)
      expect(after.receivedBytes - before.receivedBytes).toBeGreaterThan(800_000)
      host.limit({})
    }
  })
})
