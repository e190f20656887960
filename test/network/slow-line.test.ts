import { describe, expect, it } from 'vitest'
import { SEND_BYTES } from '../../src/network/limits.ts'
import { PieceSize } from '../../src/network/piece-size.ts'
import { SignsOfLife } from '../../src/network/signs-of-life.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import { HandClock } from '../support/storage-nodes.ts'

const PEER = nodeKey('a'.repeat(64))
const OTHER = nodeKey('b'.repeat(64))

/** What a stream sends at once after so many pieces over a line that takes so long for each byte. */
function sizeAfter(pieces: number, bytesPerMs: number): number {
  const size = new PieceSize()
  let nowMs = 0
  for (let piece = 0; piece < pieces; piece++) {
    size.blocked(nowMs)
    nowMs += size.bytes / bytesPerMs
    size.drained(nowMs)
  }
  return size.bytes
}

describe('the pieces of a stream', () => {
  it('grow on a fast line and shrink on a slow one, within bounds', () => {
    expect(sizeAfter(8, 50_000)).toBe(SEND_BYTES)
    expect(sizeAfter(8, 100)).toBe(32 * 1024)
    expect(sizeAfter(8, 1)).toBe(16 * 1024)
  })

  it('stay as they are while nothing blocks', () => {
    const size = new PieceSize()
    const before = size.bytes
    size.drained(1_000)
    expect(size.bytes).toBe(before)
  })
})

describe('signs of life', () => {
  it('are what came since somebody asked, from the one who was asked', () => {
    const clock = new HandClock()
    const signs = new SignsOfLife(clock)
    signs.heard(PEER, 10)
    clock.advanceS(1)
    const askedMs = clock.monotonicMs()
    expect(signs.isAlive(PEER, askedMs)).toBe(false)
    signs.heard(PEER, 10)
    expect(signs.isAlive(PEER, askedMs)).toBe(true)
    expect(signs.isAlive(OTHER, askedMs)).toBe(false)
  })

  it.each([
    ['shares came', (signs: SignsOfLife) => signs.heard(PEER, 100_000)],
    ['it took what was sent', (signs: SignsOfLife) => signs.took(PEER)],
  ])('last for a minute after %s, for a slow line may hold more', (_, busy) => {
    const clock = new HandClock()
    const signs = new SignsOfLife(clock)
    busy(signs)
    clock.advanceS(59)
    expect(signs.isAlive(PEER, clock.monotonicMs())).toBe(true)
    clock.advanceS(2)
    expect(signs.isAlive(PEER, clock.monotonicMs())).toBe(false)
  })
})
