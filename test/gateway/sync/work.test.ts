import { writeFile } from 'node:fs/promises'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WorkMeter, type SyncWork } from '../../../src/gateway/sync/work.ts'
import { twoDevices } from './support.ts'

const SIZES = fc.array(fc.nat({ max: 10 ** 12 }), { minLength: 1, maxLength: 20 })

describe('a meter of work', () => {
  it('never tells more than there is, and all of it in the end, whatever is said of each file', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: 19 }), fc.nat({ max: 2 * 10 ** 12 })))
    fc.assert(
      fc.property(SIZES, steps, (sizes, reached) => {
        const meter = new WorkMeter({ monotonicMs: () => 0 })
        const bytes = sizes.reduce((sum, size) => sum + size, 0)
        using _ = meter.begin({ kind: 'sending', files: sizes.length, bytes })
        const files = sizes.map((size) => meter.file(size))
        let before = 0
        for (const [at, to] of reached) {
          files[at % files.length]?.reached(to)
          const { doneBytes = 0 } = meter.now ?? {}
          expect(doneBytes).toBeGreaterThanOrEqual(before)
          expect(doneBytes).toBeLessThanOrEqual(bytes)
          before = doneBytes
        }
        for (const file of files) file.end()
        expect(meter.now).toMatchObject({ doneFiles: sizes.length, doneBytes: bytes })
      }),
    )
  })

  it('has nothing to tell once it is over, and begins from nothing', () => {
    let nowMs = 7
    const meter = new WorkMeter({ monotonicMs: () => nowMs })
    expect(meter.now).toBeUndefined()
    {
      using _ = meter.begin({ kind: 'fetching', files: 1, bytes: 10 })
      meter.file(10).end()
      nowMs += 5_000
      expect(meter.now).toMatchObject({ kind: 'fetching', doneBytes: 10, elapsedMs: 5_000 })
    }
    expect(meter.now).toBeUndefined()
    using _ = meter.begin({ kind: 'reading', files: null, bytes: null })
    expect(meter.now).toMatchObject({ kind: 'reading', doneFiles: 0, doneBytes: 0, elapsedMs: 0 })
  })

  it('tells who wants to be told once a second at most', () => {
    let nowMs = 7
    const told: SyncWork[] = []
    const meter = new WorkMeter({ monotonicMs: () => nowMs }, (work) => told.push(work))
    using _ = meter.begin({ kind: 'sending', files: 1, bytes: 100 })
    const file = meter.file(100)
    for (let bytes = 1; bytes <= 30; bytes++) {
      nowMs += 100
      file.reached(bytes)
    }
    expect(told.map(({ doneBytes }) => doneBytes)).toEqual([10, 20, 30])
  })
})

describe('a sync', () => {
  it('tells what it reads, sends and fetches, down to the last byte', async () => {
    const { ann, ben } = await twoDevices()
    await writeFile(ann.path('small'), 'a')
    await writeFile(ann.path('larger'), new Uint8Array(5_000).fill(7))
    await ann.sync()
    await ben.sync()
    const files = { doneFiles: 2, doneBytes: 5_001 }
    const all = { ...files, files: 2, bytes: 5_001 }
    expect(ann.worked('reading')).toMatchObject({ ...files, files: null, bytes: null })
    expect(ann.worked('sending')).toMatchObject(all)
    expect(ben.worked('fetching')).toMatchObject(all)
  })

  it('counts what is not sent for what it is: nothing', async () => {
    const { ann } = await twoDevices()
    await writeFile(ann.path('a'), 'the same')
    await ann.sync()
    await writeFile(ann.path('b'), 'another')
    await ann.sync()
    expect(ann.worked('sending')).toMatchObject({ files: 1, bytes: 7, doneBytes: 7 })
  })
})
