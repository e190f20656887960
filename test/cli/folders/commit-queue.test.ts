import { describe, expect, it } from 'vitest'
import { CommitQueue } from '../../../src/cli/folders/commit-queue.ts'
import { checkPath } from '../../../src/folders/names.ts'
import type { Edit } from '../../../src/folders/commit/edits.ts'
import type { FolderWriter } from '../../../src/folders/service/folder.ts'
import type { Clock } from '../../../src/foundation/clock.ts'

const { signal } = new AbortController()
const edit = (at: number): Edit => ({ kind: 'make-directory', path: checkPath([`${at}`]) })

/** Timers that fire when they are told to. */
class HandClock implements Clock {
  timers: (() => void)[] = []
  nowMs = (): number => 0
  monotonicMs = (): number => 0
  after(_: number, action: () => void): () => void {
    this.timers.push(action)
    return () => {
      this.timers = this.timers.filter((each) => each !== action)
    }
  }
}

function recorder(failAt = Infinity): { commits: Edit[][]; folder: FolderWriter } {
  const commits: Edit[][] = []
  const folder = {
    edit: async (edits: readonly Edit[]) => {
      if (commits.length === failAt) throw new Error('no nodes')
      commits.push([...edits])
      return await Promise.resolve({
        durability: 'durable' as const,
        sentBytes: 10,
        joined: 1,
        conflicts: [],
      })
    },
  } as unknown as FolderWriter
  return { commits, folder }
}

describe('a queue of commits', () => {
  it('commits every edit once, in order, in as few commits as their number asks for', async () => {
    const { commits, folder } = recorder()
    const clock = new HandClock()
    const queue = new CommitQueue(folder, { clock, signal })
    const edits = Array.from({ length: 4_500 }, (_, at) => edit(at))
    let committed = 0
    for (const each of edits) await queue.add(each, () => (committed += 1))
    await queue.finish()
    expect(commits.map(({ length }) => length)).toEqual([2_000, 2_000, 500])
    expect(commits.flat()).toEqual(edits)
    expect(committed).toBe(4_500)
    expect(queue.result).toEqual({ sentBytes: 30, isDegraded: false, conflicts: 0 })
    expect(clock.timers).toEqual([])
  })

  it('commits what has waited long enough', async () => {
    const { commits, folder } = recorder()
    const clock = new HandClock()
    const queue = new CommitQueue(folder, { clock, signal })
    await queue.add(edit(1))
    await queue.add(edit(2))
    expect(clock.timers).toHaveLength(1)
    clock.timers[0]?.()
    await queue.add(edit(3))
    await queue.finish()
    expect(commits).toEqual([[edit(1), edit(2)], [edit(3)]])
  })

  it('tells a failure to whoever adds or finishes, and commits nothing after it', async () => {
    const { commits, folder } = recorder(1)
    const queue = new CommitQueue(folder, { clock: new HandClock(), signal })
    let committed = 0
    const adding = (async () => {
      for (let at = 0; at < 9_000; at++) await queue.add(edit(at), () => (committed += 1))
    })()
    await expect(adding).rejects.toThrow('no nodes')
    await expect(queue.finish()).rejects.toThrow('no nodes')
    expect(commits).toHaveLength(1)
    expect(committed).toBe(2_000)
  })
})
