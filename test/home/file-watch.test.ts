import { watch } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Clock } from '../../src/foundation/clock.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { watchFile } from '../../src/home/file-watch.ts'
import { temporaryFolder } from '../support/temporary.ts'

/** What was read of a file each time that its watch told of it. */
async function watched(
  contents: string,
  options: { clock?: Clock; watchDirectory?: typeof watch } = {},
): Promise<{ path: string; seen: string[]; end: () => void }> {
  const path = join(await temporaryFolder(), 'node.json')
  await writeFile(path, contents)
  const seen: string[] = []
  const end = watchFile(path, {
    clock: systemClock,
    ...options,
    onChange: async () => {
      seen.push(await readFile(path, 'utf8').catch(() => 'none'))
    },
  })
  onTestFinished(end)
  return { path, seen, end }
}

async function replace(path: string, contents: string): Promise<void> {
  await writeFile(`${path}.part`, contents)
  await rename(`${path}.part`, path)
}

/** Runs on system time, and notes the waits that it was asked for. */
class NotingClock implements Clock {
  readonly delays: number[] = []

  nowMs(): number {
    return systemClock.nowMs()
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  after(delayMs: number, action: () => void): () => void {
    this.delays.push(delayMs)
    return systemClock.after(delayMs, action)
  }
}

const none: typeof watch = () => {
  throw Object.assign(new Error('no space left on device, watch'), { code: 'ENOSPC' })
}

describe.each([
  ['where the system tells of changes', watch],
  ['where it does not', none],
])('a watch of a file, %s', (_, watchDirectory) => {
  it('shows it at first and after each change, whether it is replaced, gone, or back', async () => {
    const { path, seen } = await watched('a', { watchDirectory })
    await vi.waitFor(() => {
      expect(seen).toEqual(['a'])
    })
    for (const contents of ['bb', 'none', 'ccc']) {
      if (contents === 'none') await rm(path)
      else await replace(path, contents)
      await vi.waitFor(() => {
        expect(seen.at(-1)).toBe(contents)
      }, WAIT)
    }
    expect(seen.filter((contents, at) => contents === seen[at - 1])).toEqual([])
  })

  it('tells nothing after its end', async () => {
    const { path, seen, end } = await watched('a', { watchDirectory })
    await vi.waitFor(() => {
      expect(seen).toEqual(['a'])
    })
    const other = vi.fn(() => Promise.resolve())
    onTestFinished(watchFile(path, { clock: systemClock, watchDirectory, onChange: other }))
    await vi.waitFor(() => {
      expect(other).toHaveBeenCalledTimes(1)
    }, WAIT)
    end()
    await replace(path, 'bb')
    // By when the other one has told of it, this one would have, too.
    await vi.waitFor(() => {
      expect(other).toHaveBeenCalledTimes(2)
    }, WAIT)
    expect(seen).toEqual(['a'])
  })
})

describe('a watch of a file', () => {
  it('looks by itself seldom where the system tells, and often where it does not or no longer does', async () => {
    const told = new NotingClock()
    const untold = new NotingClock()
    let fail = (): void => undefined
    await watched('a', { clock: untold, watchDirectory: none })
    await watched('a', {
      clock: told,
      watchDirectory: ((...of: Parameters<typeof watch>) => {
        const watcher = watch(...of)
        fail = () => watcher.emit('error', new Error('the disk went away'))
        return watcher
      }) as typeof watch,
    })
    await vi.waitFor(() => {
      expect(untold.delays.at(-1)).toBeLessThan(1000)
      expect(told.delays.at(-1)).toBeGreaterThan(1000)
    }, WAIT)
    fail()
    await vi.waitFor(() => {
      expect(told.delays.at(-1)).toBe(untold.delays.at(-1))
    }, WAIT)
  })
})

const WAIT = { timeout: 10_000 }
