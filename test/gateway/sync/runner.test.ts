import { afterEach, describe, expect, it } from 'vitest'
import { SimulatedClock } from '../../../simulations/clock.ts'
import type { Scan, SyncDisk } from '../../../src/gateway/sync/disk/sync-disk.ts'
import type { SyncContext } from '../../../src/gateway/sync/engine/context.ts'
import { runSync } from '../../../src/gateway/sync/runner.ts'
import { EVERYTHING } from '../../../src/gateway/sync/selection.ts'
import { WorkMeter } from '../../../src/gateway/sync/work.ts'

const clock = new SimulatedClock()
const stop = new AbortController()
/** When each pass began. */
const passes: number[] = []
let changeDisk = (): void => undefined
let changeFolder = (): void => undefined

/** A sync of nothing with nothing, of which only the times matter. */
function start(): void {
  const scan = { tree: new Map(), selection: EVERYTHING, problems: [], escaped: [] }
  const context: SyncContext = {
    disk: {
      noteChange: () => undefined,
      scan: async () => await Promise.resolve(scan as unknown as Scan),
      dropUnfinished: async () => await Promise.resolve(),
    } as unknown as SyncDisk,
    folder: {
      power: 'read',
      now: async () =>
        await Promise.resolve({
          stat: async () => await Promise.resolve(undefined),
          walk: async function* () {
            // Nothing is in it.
          },
        }),
      watch: async function* () {
        while (!stop.signal.aborted) {
          await new Promise<void>((resolve) => (changeFolder = resolve))
          yield []
        }
      },
    } as unknown as SyncContext['folder'],
    records: {
      synced: new Map(),
      rows: new Map(),
      intents: new Map(),
      write: async () => await Promise.resolve(),
    } as unknown as SyncContext['records'],
    clock,
    onEvent: () => undefined,
    work: new WorkMeter(clock),
  }
  void runSync({
    context,
    watch: async (onChange) => {
      changeDisk = onChange
      return await Promise.resolve({
        degraded: undefined,
        [Symbol.asyncDispose]: async () => await Promise.resolve(),
      })
    },
    takeAllowance: async () => await Promise.resolve(false),
    onStatus: ({ state }) => {
      if (state === 'syncing') passes.push(clock.monotonicMs())
    },
    signal: stop.signal,
  })
}

afterEach(() => {
  stop.abort()
})

describe('a running sync', () => {
  it('follows the folder at once, and the disk when that has come to rest', async () => {
    start()
    await clock.advance(1_000)
    expect(passes).toEqual([0])
    changeFolder()
    await clock.advance(1_000)
    expect(passes).toEqual([0, 1_000])
    for (let at = 0; at < 5; at++) {
      changeDisk()
      await clock.advance(400)
    }
    expect(passes).toHaveLength(2)
    await clock.advance(600)
    expect(passes).toEqual([0, 1_000, 4_100])
    changeDisk()
    changeFolder()
    await clock.advance(300)
    expect(passes).toHaveLength(3)
    await clock.advance(700)
    expect(passes).toEqual([0, 1_000, 4_100, 5_100])
  })
})
