import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventHub, type NumberedEvent } from '../../../src/gateway/daemon/events.ts'

function publish(hub: EventHub, count: number): void {
  for (let number = 0; number < count; number++) {
    hub.publish({
      type: 'sync-change',
      data: { id: 'a', kind: 'sent', path: `${number}`, what: 'file' },
    })
  }
}

async function take(
  events: AsyncGenerator<NumberedEvent>,
  count: number,
): Promise<NumberedEvent[]> {
  const taken: NumberedEvent[] = []
  while (taken.length < count) taken.push((await events.next()).value as NumberedEvent)
  return taken
}

describe('events', () => {
  it('come each once and in order, wherever one goes on from, or a gap says that some are missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2500), fc.nat(2600), async (count, afterId) => {
        const hub = new EventHub()
        publish(hub, count)
        const stop = new AbortController()
        const events = hub.watch(stop.signal, afterId)
        const first = events.next()
        publish(hub, 1)
        const { value } = (await first) as { value: NumberedEvent }
        const rest = await take(events, count + 1 - value.id)
        if (value.event.type !== 'gap') expect(value.id).toBe(afterId + 1)
        expect(rest.map(({ id }) => id)).toEqual(rest.map((_, at) => value.id + 1 + at))
        stop.abort()
        expect((await events.next()).done).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  it('that nobody reads take bounded memory, and a gap tells of it', async () => {
    const hub = new EventHub()
    const stop = new AbortController()
    const events = hub.watch(stop.signal)
    const first = events.next()
    publish(hub, 5000)
    const { value } = (await first) as { value: NumberedEvent }
    expect(value.event.type).toBe('gap')
    expect(value.id).toBeGreaterThan(4000)
    const rest = await take(events, 5000 - value.id)
    expect(rest.at(-1)).toMatchObject({ id: 5000, event: { type: 'sync-change' } })
    stop.abort()
  })
})
