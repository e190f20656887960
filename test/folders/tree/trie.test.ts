import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MemoryTreeStore } from '../../../simulations/merge/memory-store.ts'
import { rebuildRoot } from '../../../simulations/merge/replica.ts'
import { encodeFields } from '../../../src/protocol/cbor.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import type { Edit } from '../../../src/folders/commit/edits.ts'
import type { FolderState } from '../../../src/folders/state.ts'
import { diffStates } from '../../../src/folders/read.ts'
import type { Entry, LiteralEntry } from '../../../src/folders/entry.ts'
import { checkName, parsePath } from '../../../src/folders/names.ts'
import { MAX_VERSIONS } from '../../../src/folders/tree/node-codec.ts'
import { openRoot, partOf, storeDirectory } from '../../../src/folders/tree/part.ts'
import { ROOT_TOP } from '../../../src/folders/tree/position.ts'
import { lookUp, readEntries, readLeaves } from '../../../src/folders/tree/read.ts'
import { workingStore } from '../../../src/folders/tree/store.ts'
import { MAX_LEAF_WEIGHT } from '../../../src/folders/tree/summary.ts'
import { ANNA, Bench, BOB, mkdir, move, put, remove, rootOf } from '../support.ts'

const numbers = fc.uniqueArray(fc.nat({ max: 400 }), { minLength: 0, maxLength: 200 })

/** So heavy that some fifty fill a leaf, and a few hundred make several levels. */
function heavy(number: number): LiteralEntry {
  return {
    kind: 'literal',
    name: checkName(`entry ${number}`),
    dots: new Map([['00000000000000aa' as TagHex, 1]]),
    mtimeMs: 0,
    device: '',
    bytes: new Uint8Array(900).fill(number),
    isExecutable: false,
  }
}

async function rootWith(store: MemoryTreeStore, entries: readonly Entry[]): Promise<FolderState> {
  const part = await partOf(workingStore(store), entries, ROOT_TOP)
  const { reference } = await storeDirectory(store, part, ROOT_TOP)
  return { clock: new Map(), root: reference }
}

function literal(number: number): ReturnType<typeof put> {
  const content = { kind: 'literal' as const, bytes: heavy(number).bytes, mtimeMs: 0 }
  return { kind: 'put', path: parsePath(`entry ${number}`), content }
}

describe('a directory', () => {
  it('is the same whatever led to it', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, numbers, fc.nat(), async (first, second, at) => {
        const bench = new Bench()
        const steps = [...first.map(literal), ...second.map((n) => remove(`entry ${n}`))]
        const isThere = new Set<number>(first)
        const edits = steps.filter((edit) => 'content' in edit || isThere.has(numberOf(edit)))
        const middle = at % (edits.length + 1)
        let state = await bench.empty()
        for (const part of [edits.slice(0, middle), edits.slice(middle)]) {
          state = await bench.commit(state, { tag: ANNA.tag, device: '' }, ...part)
        }
        const rebuilt = await rebuildRoot(bench.store, state, (entries) => entries.toReversed())
        expect(rebuilt.reference.id).toEqual(state.root.id)
        const left = first.filter((number) => !second.includes(number))
        expect((await bench.names(state)).toSorted()).toEqual(
          left.map((number) => `entry ${number}`).sort(),
        )
      }),
      { numRuns: 25 },
    )
  })

  it('finds every name, and no other', async () => {
    const store = new MemoryTreeStore()
    const entries = Array.from({ length: 300 }, (_, at) => heavy(at))
    const node = await openRoot(store, (await rootWith(store, entries)).root)
    expect(node.kind).toBe('inner')
    for (const entry of entries) {
      expect((await lookUp(store, node, entry.name)).versions).toEqual([entry])
    }
    const { versions, directory } = await lookUp(store, node, checkName('entry 300'))
    expect({ versions, directory }).toEqual({ versions: [], directory: undefined })
    const names = (await readEntries(store, node)).map(({ name }) => name)
    expect(names).toEqual(entries.map(({ name }) => name).sort())
  })

  it('fills its leaves at least by half, as far as names fall evenly', async () => {
    const store = new MemoryTreeStore()
    const entries = Array.from({ length: 2000 }, (_, at) => heavy(at))
    const node = await openRoot(store, (await rootWith(store, entries)).root)
    let leaves = 0
    for await (const leaf of readLeaves(store, node)) leaves += Math.sign(leaf.length)
    const weight = node.summary.weight
    expect(weight / leaves).toBeGreaterThan(MAX_LEAF_WEIGHT * 0.4)
    expect(weight / leaves).toBeLessThanOrEqual(MAX_LEAF_WEIGHT)
  })

  it('rewrites the way to a change, and nothing else', async () => {
    const bench = new Bench()
    const many = Array.from({ length: 3000 }, (_, at) => put(`d/${at}`))
    const base = await bench.commit(await bench.empty(), ANNA, ...many, put('other/x'))
    const cost = async (...edits: Parameters<Bench['commit']>[2][]): Promise<unknown> =>
      await bench.store.count(async () => await bench.commit(base, ANNA, ...edits))
    // The folder's root, the directory's branch, one leaf.
    expect(await cost(put('d/new'))).toEqual({ gets: 3, puts: 3 })
    expect(await cost(put('d/77', 'changed'))).toEqual({ gets: 3, puts: 3 })
    expect(await cost(put('d/77', 'changed'), put('d/77', 'again'))).toEqual({ gets: 3, puts: 3 })
    expect(await cost(put('new'))).toEqual({ gets: 1, puts: 1 })
    // What is removed or moved whole is not read.
    expect(await cost(remove('d'))).toEqual({ gets: 1, puts: 1 })
    expect(await cost(move('d', 'e'))).toEqual({ gets: 1, puts: 1 })
    expect(await cost(move('d', 'other/e'))).toEqual({ gets: 2, puts: 2 })
  })

  it('is renamed by its root alone, once all that is in it has been moved together', async () => {
    const bench = new Bench()
    let state = await bench.empty()
    for (let commit = 0; commit < 5; commit++) {
      const some = Array.from({ length: 300 }, (_, at) => put(`d/sub/${commit} ${at}`))
      state = await bench.commit(state, commit % 2 ? ANNA : BOB, ...some)
    }
    const first = await bench.store.count(async () => {
      state = await bench.commit(state, ANNA, move('d', 'e'))
    })
    expect(first.puts).toBeGreaterThan(5)
    const second = await bench.store.count(async () => {
      state = await bench.commit(state, ANNA, move('e', 'f'))
    })
    expect(second).toEqual({ gets: 1, puts: 1 })
    expect(await bench.names(state, 'f/sub')).toHaveLength(1500)
  })

  it('becomes small again', async () => {
    const bench = new Bench()
    const one = await bench.commit(await bench.empty(), ANNA, put('d/0'))
    const names = Array.from({ length: 1000 }, (_, at) => `d/${at + 1}`)
    const full = await bench.commit(one, BOB, ...names.map((name) => put(name)))
    const less = await bench.commit(full, BOB, ...names.map(remove))
    expect(rootOf(less)).toBe(rootOf(one))
  })

  it('holds as many versions of one name as 128, in one leaf', async () => {
    const versions = Array.from({ length: MAX_VERSIONS }, (_, at) => ({
      ...heavy(at),
      name: checkName('same'),
      mtimeMs: at,
    }))
    const store = new MemoryTreeStore()
    const node = await openRoot(store, (await rootWith(store, versions)).root)
    expect(node).toMatchObject({ kind: 'loose', summary: { names: 1, files: 128, copies: 127 } })
    const more = [...versions, { ...heavy(1), name: checkName('same'), mtimeMs: 1000 }]
    await expect(rootWith(store, more)).rejects.toMatchObject({ code: 'too-many-versions' })
  })

  it('takes no more than a block, whoever worked on it', async () => {
    const store = new MemoryTreeStore()
    const dots = new Map(
      Array.from({ length: 64 }, (_, at) => [`${at}`.padStart(16, '0') as TagHex, at + 1] as const),
    )
    const tiny = Array.from({ length: 5000 }, (_, at) => ({
      ...heavy(at),
      name: checkName(`${at}`),
      bytes: new Uint8Array(0),
      dots,
    }))
    // The store refuses what does not fit.
    await rootWith(store, tiny)
    const extension = encodeFields(new Map([[1, new Uint8Array(1000)]]))
    const large = Array.from({ length: MAX_VERSIONS }, (_, mtimeMs) => ({
      ...heavy(0),
      name: checkName('x'.repeat(255)),
      bytes: new Uint8Array(1024),
      mtimeMs,
      extension,
      dots,
    }))
    await rootWith(store, large)
    const sizes = [...store.nodes.values()].map(({ content }) => content.length)
    expect(Math.max(...sizes)).toBeGreaterThan(300_000)
  })

  it('is refused if a node is not what its parent says', async () => {
    const bench = new Bench()
    const state = await bench.commit(await bench.empty(), ANNA, put('d/e/f', 'x'), mkdir('d/g'))
    const other = await bench.commit(
      await bench.empty(),
      ANNA,
      put('d/e/f', 'longer'),
      mkdir('d/g'),
    )
    // Every node in turn is swapped for one of the other tree.
    const nodes = [...bench.store.nodes]
    let refused = 0
    for (const [id, node] of nodes) {
      for (const [, wrong] of nodes) {
        bench.store.nodes.set(id, wrong)
        const paths = [await readAll(bench, state), await readAll(bench, other)]
        if (paths.includes('folder-broken')) refused += 1
        bench.store.nodes.set(id, node)
      }
    }
    expect(refused).toBeGreaterThan(nodes.length * 3)
  })
})

describe('a difference', () => {
  it('is that of the sets of entries', async () => {
    await fc.assert(
      fc.asyncProperty(numbers, numbers, async (before, after) => {
        const store = new MemoryTreeStore()
        const states = {
          before: await rootWith(store, before.map(heavy)),
          after: await rootWith(store, after.map(heavy)),
        }
        const gone: number[] = []
        const come: number[] = []
        for await (const { path, before, after } of diffStates(store, states)) {
          expect(before.length + after.length).toBe(1)
          const number = Number(path.join('/').slice('entry '.length))
          if (after.length === 0) gone.push(number)
          else come.push(number)
        }
        const sorted = (all: number[]): number[] => all.toSorted((a, b) => a - b)
        expect(sorted(gone)).toEqual(sorted(before.filter((number) => !after.includes(number))))
        expect(sorted(come)).toEqual(sorted(after.filter((number) => !before.includes(number))))
      }),
      { numRuns: 25 },
    )
  })

  it('goes down into directories, and reads nothing that is the same', async () => {
    const bench = new Bench()
    const many = Array.from({ length: 2000 }, (_, at) => put(`same/${at}`))
    const base = await bench.commit(await bench.empty(), ANNA, ...many, put('d/e/f'), put('d/x'))
    const next = await bench.commit(base, BOB, put('d/e/f', 'new'), move('d/x', 'y'), mkdir('z'))
    const paths: string[] = []
    const { gets } = await bench.store.count(async () => {
      for await (const { path } of diffStates(bench.store, { before: base, after: next })) {
        paths.push(path.join('/'))
      }
    })
    expect(paths.sort()).toEqual(['d/e/f', 'd/x', 'y', 'z'])
    // Root, d and d/e of both, and what is in z.
    expect(gets).toBe(7)
  })

  it('tells all of a directory that only one state has', async () => {
    const bench = new Bench()
    const base = await bench.empty()
    const next = await bench.commit(base, ANNA, put('d/e/f'), mkdir('d/g'))
    for (const states of [
      { before: base, after: next },
      { before: next, after: base },
    ]) {
      const paths: string[] = []
      for await (const { path } of diffStates(bench.store, states)) paths.push(path.join('/'))
      expect(paths).toEqual(['d', 'd/e', 'd/e/f', 'd/g'])
    }
  })
})

function numberOf(edit: Edit): number {
  return 'path' in edit ? Number(edit.path.join('/').slice('entry '.length)) : -1
}

async function readAll(bench: Bench, state: FolderState): Promise<unknown> {
  return await bench.paths(state).catch((error: { code?: unknown }) => error.code)
}
