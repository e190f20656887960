import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { playMerges } from '../../simulations/merge/scenario.ts'
import { HayloftError } from '../../src/foundation/error.ts'
import { mergeStates } from '../../src/folders/merge.ts'
import type { FolderState } from '../../src/folders/state.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import type { Edit } from '../../src/folders/commit/edits.ts'
import { ANNA, Bench, BOB, CARL, mkdir, move, NOON_MS, put, remove } from './support.ts'

// Histories: each step is an edit by someone, on their own state or merged with another's.

const paths = fc.constantFrom('f', 'g.txt', 'd', 'd/f', 'd/e', 'd/e/f', 'e/f')
const edits: fc.Arbitrary<Edit> = fc.oneof(
  { arbitrary: fc.tuple(paths, fc.constantFrom('1', '2', '3')).map((at) => put(...at)), weight: 4 },
  { arbitrary: paths.map(remove), weight: 2 },
  { arbitrary: fc.tuple(paths, paths).map((at) => move(...at)), weight: 1 },
  { arbitrary: paths.map(mkdir), weight: 1 },
)
const PEOPLE = [ANNA, BOB, CARL]
const person = fc.nat({ max: PEOPLE.length - 1 })
const histories = fc.array(
  fc.record({ who: person, edit: edits, sees: fc.option(person, { nil: undefined }) }),
  { minLength: 3, maxLength: 16 },
)

async function play(
  bench: Bench,
  steps: typeof histories extends fc.Arbitrary<infer T> ? T : never,
): Promise<FolderState[]> {
  const states = PEOPLE.map(() => bench.empty())
  const current = await Promise.all(states)
  for (const { who, edit, sees } of steps) {
    let state = current[who]!
    if (sees !== undefined) state = await mergeStates(bench.store, [state, current[sees]!])
    current[who] = await bench.commit(state, PEOPLE[who]!, edit).catch((error: unknown) => {
      // What cannot be done to this state is not part of the history.
      if (error instanceof HayloftError) return state
      throw error
    })
  }
  return current
}

describe('merging', () => {
  it('is commutative, associative and idempotent, down to the root', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        const bench = new Bench()
        const merge = async (...states: FolderState[]): Promise<FolderState> =>
          await mergeStates(bench.store, states)
        const [a, b, c] = (await play(bench, steps)) as [FolderState, FolderState, FolderState]
        const ab = await merge(a, b)
        expect(await merge(b, a)).toEqual(ab)
        expect(await merge(a, a)).toEqual(a)
        expect(await merge(ab, a)).toEqual(ab)
        const abc = await merge(ab, c)
        expect(await merge(a, await merge(b, c))).toEqual(abc)
        expect(await merge(await merge(c, a), b)).toEqual(abc)
        expect(await merge(c, a, b)).toEqual(abc)
        expect(await merge(abc, b, ab)).toEqual(abc)
      }),
      { numRuns: 150 },
    )
  })

  it('holds what a causal oracle says, whoever saw what when', async () => {
    let conflicts = 0
    for (let seed = 1; seed <= 200; seed++) {
      const { violations, conflicts: copies } = await playMerges(seed)
      expect(violations, `npm run simulate-merge -- --seed ${seed}`).toEqual([])
      conflicts += copies
    }
    // Or it would hold because nothing ever met.
    expect(conflicts).toBeGreaterThan(50)
  })

  it('keeps both of two concurrent edits', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('a.txt', 'old'))
    const anna = await bench.commit(base, ANNA, put('a.txt', 'of Anna', NOON_MS))
    const bob = await bench.commit(base, BOB, put('a.txt', 'of Bob', NOON_MS + 1000))
    const merged = await mergeStates(bench.store, [anna, bob])
    expect(await bench.names(merged)).toEqual(['a (conflict Anna 2026-05-06 120000).txt', 'a.txt'])
  })

  it('lets an edit win over a concurrent removal, and a removal over what it has seen', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('a'), put('b'))
    const anna = await bench.commit(base, ANNA, remove('a'), remove('b'))
    const bob = await bench.commit(base, BOB, put('a', 'edited'))
    expect(await bench.names(await mergeStates(bench.store, [anna, bob]))).toEqual(['a'])
  })

  it('takes what was moved for new, although all of it was seen elsewhere', async () => {
    const bench = new Bench()
    const first = await bench.commit(await bench.empty(), ANNA, put('d/one'), put('d/e/two'))
    const base = await bench.commit(first, BOB, put('d/three'))
    const anna = await bench.commit(base, ANNA, move('d', 'moved'))
    const bob = await bench.commit(base, BOB, put('d/three', 'edited'))
    const merged = await mergeStates(bench.store, [anna, bob])
    expect(await bench.paths(merged)).toEqual([
      'd',
      'd/three',
      'moved',
      'moved/e',
      'moved/e/two',
      'moved/one',
      'moved/three',
    ])
  })

  it('keeps a removed directory for what others put into it, and only for that', async () => {
    const bench = new Bench()
    const base = await bench.commit(await bench.empty(), ANNA, put('d/e/old'), mkdir('d/empty'))
    const anna = await bench.commit(base, ANNA, remove('d'))
    const bob = await bench.commit(base, BOB, put('d/e/new'))
    const merged = await mergeStates(bench.store, [anna, bob])
    expect(await bench.paths(merged)).toEqual(['d', 'd/e', 'd/e/new'])
    // Nobody made these two after they were removed, so they go with what is in them …
    const unclaimed = await bench.commit(bob, BOB, remove('d/e/new'))
    expect(await bench.paths(await mergeStates(bench.store, [merged, unclaimed]))).toEqual([])
    // … unless someone works in them as they are now.
    const claimed = await bench.commit(merged, BOB, remove('d/e/new'))
    expect(await bench.paths(claimed)).toEqual(['d', 'd/e'])
  })

  it('does not take the same edit by two for a conflict', async () => {
    const bench = new Bench()
    const base = await bench.empty()
    const anna = await bench.commit(base, ANNA, put('a', 'same', NOON_MS))
    const bob = await bench.commit(base, BOB, put('a', 'same', NOON_MS + 5000))
    const merged = await mergeStates(bench.store, [anna, bob])
    const [shown, ...others] = await bench.list(merged)
    expect(others).toEqual([])
    expect(shown?.entry).toMatchObject({ mtimeMs: NOON_MS + 5000, device: 'Bob' })
  })

  /**
   * Carl saw and removed what Bob put. Anna put the very same, and he never saw hers. Were the two one dot after a
   * merge, it would depend on who merges first whether hers is lost.
   */
  it('does not lose a put that nobody undid because an equal one was undone', async () => {
    const bench = new Bench()
    const base = await bench.empty()
    const who = { tag: BOB.tag, device: ANNA.device }
    const anna = await bench.commit(base, ANNA, put('a', 'same'))
    const bob = await bench.commit(base, who, put('a', 'same'))
    const carl = await bench.commit(bob, CARL, remove('a'))
    const both = await mergeStates(bench.store, [anna, bob])
    const early = await mergeStates(bench.store, [both, carl])
    const late = await mergeStates(bench.store, [await mergeStates(bench.store, [bob, carl]), anna])
    expect(await bench.names(early)).toEqual(['a'])
    expect(early).toEqual(late)
  })

  it('loses nothing to a device that wrote twice from one state', async () => {
    const bench = new Bench()
    const base = await bench.commit(
      await bench.empty(),
      ANNA,
      put('a', 'old'),
      put('b'),
      put('d/e'),
    )
    const one = await bench.commit(base, ANNA, put('a', 'one'), put('x/y'))
    const restored = await bench.commit(base, ANNA, put('a', 'two', NOON_MS + 1000), remove('b'))
    const bob = await bench.commit(base, BOB, put('c'), remove('d'))
    const merged = await mergeStates(bench.store, [one, restored, bob])
    expect(await bench.paths(merged)).toEqual([
      'a',
      'a (conflict Anna 2026-05-06 120000)',
      'b',
      'c',
      'x',
      'x/y',
    ])
    expect(await mergeStates(bench.store, [bob, restored, one])).toEqual(merged)
  })

  it('does not read what is the same everywhere, or wholly new, or wholly seen', async () => {
    const bench = new Bench()
    const many = Array.from({ length: 3000 }, (_, at) => put(`big/${at}`))
    const base = await bench.commit(await bench.empty(), ANNA, put('x'), mkdir('big'))
    const filled = await bench.commit(base, ANNA, ...many)
    const touched = await bench.commit(filled, ANNA, put('big/1', 'again'))
    const costOf = async (a: FolderState, b: FolderState): Promise<number> => {
      const { gets } = await bench.store.count(async () => await mergeStates(bench.store, [a, b]))
      return gets
    }
    // The roots alone.
    const elsewhere = await bench.commit(touched, BOB, put('y'))
    expect(await costOf(await bench.commit(touched, ANNA, put('z')), elsewhere)).toBe(2)
    const gone = await bench.commit(touched, BOB, remove('big'))
    expect(await costOf(await bench.commit(touched, ANNA, put('z')), gone)).toBe(2)
    // Both roots, and for the one change root, branch and leaf of the directory.
    expect(await costOf(await bench.commit(touched, ANNA, put('big/2', 'new')), gone)).toBe(4)
    // Both roots, and the topmost node of what was filled and of what it was before.
    const onBase = await bench.commit(base, BOB, put('y'))
    expect(await costOf(touched, onBase)).toBe(4)
  })

  it('knows no more than 64 devices', async () => {
    const bench = new Bench()
    let state = await bench.empty()
    const tagOf = (number: number): TagHex => number.toString(16).padStart(16, '0') as TagHex
    for (let number = 1; number <= 64; number++) {
      const who = { tag: tagOf(number), device: '' }
      state = await bench.commit(state, who, put(`${number}`))
    }
    const tooMany = { tag: tagOf(65), device: '' }
    await expect(bench.commit(state, tooMany, put('y'))).rejects.toMatchObject({
      code: 'too-many-versions',
    })
    const other = await bench.commit(await bench.empty(), tooMany, put('y'))
    await expect(mergeStates(bench.store, [state, other])).rejects.toMatchObject({
      code: 'too-many-versions',
    })
  })
})
