import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/foundation/system.ts'
import { Bandwidth } from '../../src/network/bandwidth.ts'
import { Lane } from '../../src/network/lane.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import { ScriptedStream } from './scripted-stream.ts'

const NODE = nodeKey('a'.repeat(64))
const ask = { op: 'drop', ids: [] } as const

/** A lane with so many calls under way, of which the other side knows. */
async function laneWith(calls: number) {
  const stream = new ScriptedStream()
  const lane = new Lane(NODE, stream as unknown as Stream, new Bandwidth(systemClock).of(NODE))
  const replies = Array.from({ length: calls }, () => lane.call<'drop'>(ask))
  while (stream.ids.length < calls) await new Promise((resolve) => setImmediate(resolve))
  return { stream, lane, replies }
}

describe('a lane that a better one replaces', () => {
  it('ends at once if nobody waits for it', async () => {
    const { stream, lane } = await laneWith(0)
    lane.retire()
    expect(lane.open).toBe(false)
    expect(stream.status).toBe('aborted')
  })

  it('ends with the last reply, and loses none', async () => {
    const { stream, lane, replies } = await laneWith(3)
    lane.retire()
    for (const id of stream.ids.slice(0, 2)) stream.reply(id)
    expect(lane.open).toBe(true)
    stream.reply(stream.ids[2] ?? 0)
    expect(lane.open).toBe(false)
    expect(await Promise.all(replies)).toEqual(replies.map(() => ({ op: 'drop', dropped: 1 })))
  })

  it('waits for nobody who has given up', async () => {
    const { lane } = await laneWith(0)
    const given = new AbortController()
    const call = lane.call<'drop'>(ask, given.signal)
    lane.retire()
    given.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    expect(lane.open).toBe(false)
  })
})
