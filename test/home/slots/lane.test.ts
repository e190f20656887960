import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import { abandonedLanes, MAX_LANES, otherLanes, takeLane } from '../../../src/home/slots/lane.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const SYSTEM = { clock: systemClock, randomness: systemRandomness }

describe('a lane', () => {
  it('is held by one at a time, and the next gets it back as it was', async () => {
    const parent = await temporaryFolder()
    const first = await takeLane(parent, SYSTEM)
    await writeFile(join(first.directory, 'value'), '1')
    const second = await takeLane(parent, SYSTEM)
    expect(second.directory).not.toBe(first.directory)
    expect(await otherLanes(parent, second)).toEqual([first.directory])
    expect(await abandonedLanes(parent, second)).toEqual([])
    await first[Symbol.asyncDispose]()
    expect(await abandonedLanes(parent, second)).toHaveLength(1)
    const third = await takeLane(parent, SYSTEM)
    expect(await readdir(third.directory)).toEqual(['value'])
    expect(await readdir(parent)).toHaveLength(2)
  })

  it('of a process that died is taken over by one alone', async () => {
    const parent = await temporaryFolder()
    // A process of that number may be there; of that birth there is none.
    await mkdir(join(parent, `held-0123456789ab-${process.pid}-neverborn`))
    const taken = await Promise.all([1, 2, 3].map(async () => await takeLane(parent, SYSTEM)))
    expect(new Set(taken.map(({ directory }) => directory)).size).toBe(3)
    const ids = taken.map(({ directory }) => /held-([0-9a-f]{12})-/.exec(directory)?.[1])
    expect(ids).toContain('0123456789ab')
  })

  it('is waited for where as many as there may be are held', async () => {
    const parent = await temporaryFolder()
    const held = await Promise.all(
      Array.from({ length: MAX_LANES }, async () => await takeLane(parent, SYSTEM)),
    )
    const waiting = takeLane(parent, SYSTEM)
    await held[3]?.[Symbol.asyncDispose]()
    expect((await waiting).directory).toBe(held[3]?.directory)
    const stopped = new AbortController()
    const never = takeLane(parent, { ...SYSTEM, signal: stopped.signal })
    stopped.abort(new Error('enough'))
    await expect(never).rejects.toThrow('enough')
  })
})
