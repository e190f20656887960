import { EventEmitter } from 'node:events'
import type { FastifyReply } from 'fastify'
import { describe, expect, it } from 'vitest'
import { signalOf } from '../../../src/gateway/api/request-signal.ts'

function replyOf(writableFinished: boolean): { reply: FastifyReply; raw: EventEmitter } {
  const raw = Object.assign(new EventEmitter(), { writableFinished })
  return { reply: { raw } as unknown as FastifyReply, raw }
}

describe('the signal of a request', () => {
  it('fires when whoever asked is gone, and not when all was told', () => {
    const ending = new AbortController()
    const gone = replyOf(false)
    const signal = signalOf(gone.reply, ending.signal)
    expect(signal.aborted).toBe(false)
    gone.raw.emit('close')
    expect(signal.reason).toMatchObject({ code: 'asker-gone' })
    const told = replyOf(true)
    const other = signalOf(told.reply, ending.signal)
    told.raw.emit('close')
    ending.abort(new Error('the daemon was told to end'))
    expect(other.aborted).toBe(false)
  })

  it('fires when the daemon ends, with a reason that is no bug', () => {
    const ending = new AbortController()
    const signal = signalOf(replyOf(false).reply, ending.signal)
    ending.abort(new Error('the daemon was told to end'))
    expect(signal.reason).toMatchObject({ code: 'daemon-ending' })
    expect(signalOf(replyOf(false).reply, ending.signal).reason).toMatchObject({
      code: 'daemon-ending',
    })
  })
})
