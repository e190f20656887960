import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { onAbort } from '../../src/foundation/abort.ts'

it('does once what is still to be done when a signal fires, and leaves no listener behind', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean()), fc.boolean(), (areLetGo, fires) => {
      const controller = new AbortController()
      const { signal } = controller
      const done: number[] = []
      const letGo = areLetGo.map((_, at) => onAbort(signal, () => done.push(at)))
      expect(getEventListeners(signal, 'abort')).toHaveLength(Math.min(1, areLetGo.length))
      letGo.forEach((release, at) => {
        if (areLetGo[at] === true) release()
      })
      if (fires) controller.abort()
      const left = [...areLetGo.keys()].filter((at) => areLetGo[at] === false)
      expect(done).toEqual(fires ? left : [])
      for (const release of letGo) release()
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
      controller.abort()
      expect(done).toEqual(fires ? left : [])
    }),
  )
})

it('lets an action let go of another one that is to come', () => {
  const controller = new AbortController()
  const done: string[] = []
  onAbort(controller.signal, () => {
    done.push('first')
    letGo()
  })
  const letGo = onAbort(controller.signal, () => done.push('second'))
  controller.abort()
  expect(done).toEqual(['first'])
})
