import type { Stream } from '@libp2p/interface'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { concatBytes } from '../../src/foundation/bytes.ts'
import { FrameWriter } from '../../src/network/frame-writer.ts'

type Sent = Iterable<Uint8Array> & { subarray(): Uint8Array }

/** @returns what a stream was given by the time all frames had left */
async function sent(frames: readonly Uint8Array[][], pieceBytes: number): Promise<Sent[]> {
  const pieces: Sent[] = []
  const stream = { send: (piece: Sent) => pieces.push(piece) > 0 } as unknown as Stream
  const pace = { pieceBytes: () => pieceBytes, take: () => undefined, blocked() {}, drained() {} }
  const writer = new FrameWriter(stream, pace)
  await Promise.all(
    frames.map(async (parts) => await new Promise<void>((flushed) => writer.send(parts, flushed))),
  )
  return pieces
}

it('sends the bytes of all frames in their order, in pieces no larger than the pace allows', async () => {
  const part = fc.nat(40_000).map((length) => Uint8Array.from({ length }, (_, at) => at * at))
  const frames = fc.array(fc.array(part, { maxLength: 4 }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(frames, fc.integer({ min: 1000, max: 100_000 }), async (all, pieceBytes) => {
      const pieces = (await sent(all, pieceBytes)).map((piece) => piece.subarray())
      expect(Buffer.compare(concatBytes(pieces), concatBytes(all.flat()))).toBe(0)
      for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(pieceBytes)
    }),
    { numRuns: 30 },
  )
})

it('copies nothing that is large', async () => {
  const shard = new Uint8Array(300_000)
  const pieces = await sent([[new Uint8Array(50), new Uint8Array(400), shard]], 100_000)
  const chunks = pieces.flatMap((piece) => Array.from(piece))
  const own = chunks.filter(({ buffer }) => buffer === shard.buffer)
  expect(own.reduce((sum, { length }) => sum + length, 0)).toBe(shard.length)
  expect(chunks.length - own.length).toBe(1)
})
