import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/foundation/clock.ts'
import { boundBody } from '../../../src/gateway/api/body.ts'

class Request extends EventEmitter {
  complete = false
  destroyed = false

  destroy(): this {
    this.destroyed = true
    return this
  }
}

function bounded(): { request: Request; letTimePass: () => void; isWatched: () => boolean } {
  const actions = new Set<() => void>()
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    after: (_, action) => {
      actions.add(action)
      return () => actions.delete(action)
    },
  }
  const request = new Request()
  boundBody(request as unknown as IncomingMessage, clock)
  return {
    request,
    letTimePass: () => {
      for (const action of actions) action()
    },
    isWatched: () => actions.size > 0,
  }
}

describe('a request', () => {
  it('that has not arrived in time is cut off', () => {
    const { request, letTimePass } = bounded()
    letTimePass()
    expect(request.destroyed).toBe(true)
  })

  it('that has arrived may be answered for as long as it takes', () => {
    const { request, letTimePass } = bounded()
    request.complete = true
    letTimePass()
    expect(request.destroyed).toBe(false)
  })

  it('that is over is watched no more', () => {
    const { request, isWatched } = bounded()
    request.emit('close')
    expect(isWatched()).toBe(false)
  })
})
