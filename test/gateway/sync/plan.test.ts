import { describe, expect, it } from 'vitest'
import { plan } from '../../../src/gateway/sync/plan.ts'
import type { Pull } from '../../../src/gateway/sync/steps.ts'
import type {
  ContentHash,
  ContentKey,
  LocalNode,
  PathText,
  RemoteNode,
  SyncedNode,
} from '../../../src/gateway/sync/trees.ts'
import type { Dots } from '../../../src/folders/dots.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import { playSync } from '../../../simulations/sync/scenario.ts'

const SEEDS_IN_A_TEST = 250

describe('devices that sync', () => {
  it.each(Array.from({ length: 8 }, (_, at) => 1 + at * SEEDS_IN_A_TEST))(
    'keep what they promise from seed %i on',
    async (first) => {
      for (let seed = first; seed < first + SEEDS_IN_A_TEST; seed++) {
        const { violations } = await playSync(seed)
        expect(violations, `npm run simulate-sync -- --seed ${seed}`).toEqual([])
      }
    },
  )

  it.each([2910])('keep what they promised once they did not, with seed %i', async (seed) => {
    expect((await playSync(seed)).violations).toEqual([])
  })

  it('play a seed the same way each time', async () => {
    expect(await playSync(42)).toEqual(await playSync(42))
  })
})

describe('a plan', () => {
  it('is empty where all agree', () => {
    const { pushes, pulls, books } = plan({
      local: tree({ d: DIRECTORY, 'd/a': local('one') }),
      synced: tree({ d: DIRECTORY, 'd/a': agreed('one') }),
      remote: tree({ d: DIRECTORY, 'd/a': remote('one') }),
    })
    expect([pushes, pulls, books]).toEqual([[], [], []])
  })

  it('leaves alone what is opaque, with all below it', () => {
    const { pushes, pulls, books } = plan({
      local: tree({ d: { kind: 'opaque' } }),
      synced: tree({ d: DIRECTORY, 'd/a': agreed('one') }),
      remote: tree({ d: DIRECTORY, 'd/a': remote('two'), 'd/b': remote('three') }),
    })
    expect([pushes, pulls, books]).toEqual([[], [], []])
  })

  it('does not remove a directory that holds something opaque', () => {
    const { pulls } = plan({
      local: tree({ d: DIRECTORY, 'd/pipe': { kind: 'opaque' } }),
      synced: tree({ d: DIRECTORY }),
      remote: tree({}),
    })
    expect(pulls).toEqual([])
  })

  it('moves what has the same content elsewhere', () => {
    const { pulls } = plan({
      local: tree({ a: local('one') }),
      synced: tree({ a: agreed('one') }),
      remote: tree({ b: remote('one') }),
    })
    expect(pulls).toMatchObject([{ kind: 'pull-move', from: 'a', path: 'b' }])
  })

  it('has a conflict copy go only where the file is what the copy was, and waits while that is written', () => {
    const copy = { ...agreed('one'), copyOf: 'a' as PathText }
    const goes = (a: LocalNode, isLeftOut = false): readonly Pull[] =>
      plan({
        local: tree({ a, copy: local('one') }),
        synced: tree<SyncedNode>({ a: agreed('one'), copy }),
        remote: tree({ a: remote('one') }),
        selection: { leavesOut: (path) => isLeftOut && path === 'a' },
      }).pulls
    expect(goes(local('one'))).toMatchObject([{ kind: 'pull-removal', path: 'copy', keptAt: 'a' }])
    expect(goes({ kind: 'opaque' })).toEqual([])
    const [alone] = goes({ kind: 'opaque' }, true)
    expect(alone).toMatchObject({ kind: 'pull-removal', path: 'copy' })
    expect(alone).not.toHaveProperty('keptAt')
  })

  it('replaces a file by a directory in two steps', () => {
    const synced = tree<SyncedNode>({ a: agreed('one') })
    const there = tree<RemoteNode>({ a: DIRECTORY, 'a/b': remote('two') })
    const first = plan({ local: tree({ a: local('one') }), synced, remote: there })
    expect(first.pulls).toMatchObject([{ kind: 'pull-removal', path: 'a' }])
    const second = plan({ local: tree({}), synced: tree({}), remote: there })
    expect(second.pulls.map(({ kind, path }) => [kind, path])).toEqual([
      ['pull-directory', 'a'],
      ['pull', 'a/b'],
    ])
  })

  it('makes no directory below a file that is still to go', () => {
    const { pulls } = plan({
      local: tree({ a: local('one') }),
      synced: tree({ a: agreed('one') }),
      remote: tree({ a: DIRECTORY, 'a/b': DIRECTORY, 'a/b/c': remote('one') }),
    })
    expect(pulls).toMatchObject([{ kind: 'pull-removal', path: 'a' }])
  })

  it('moves a directory whose files are all elsewhere, and leaves the rest of it for later', () => {
    const names = ['1', '2', 'below/3']
    const inside = <Node>(directory: string, node: (text: string) => Node): [string, Node][] =>
      names.map((name) => [`${directory}/${name}`, node(name)])
    const before = {
      a: DIRECTORY,
      'a/below': DIRECTORY,
      ...Object.fromEntries(inside('a', agreed)),
    }
    const { pulls } = plan({
      local: tree({
        a: DIRECTORY,
        'a/below': DIRECTORY,
        ...Object.fromEntries(inside('a', local)),
      }),
      synced: tree<SyncedNode>(before),
      remote: tree<RemoteNode>({
        b: DIRECTORY,
        'b/below': DIRECTORY,
        ...Object.fromEntries(inside('b', remote)),
        'b/4': remote('4'),
      }),
    })
    expect(pulls).toMatchObject([{ kind: 'pull-directory-move', from: 'a', path: 'b' }])
    const [move] = pulls
    const moved = move?.kind === 'pull-directory-move' ? move.moved : []
    expect(moved.map(({ path }) => path).sort()).toEqual([
      'b',
      'b/1',
      'b/2',
      'b/below',
      'b/below/3',
    ])
  })

  it('does not move a directory that holds something else, or conflict copies', () => {
    const copy = { ...agreed('two'), copyOf: 'a/1' as PathText }
    const there = tree<RemoteNode>({ b: DIRECTORY, 'b/1': remote('one'), 'b/2': remote('two') })
    const onDisk = { a: DIRECTORY, 'a/1': local('one'), 'a/2': local('two') }
    const synced = { a: DIRECTORY, 'a/1': agreed('one'), 'a/2': agreed('two') }
    const withPipe = plan({
      local: tree<LocalNode>({ ...onDisk, 'a/pipe': { kind: 'opaque' } }),
      synced: tree<SyncedNode>(synced),
      remote: there,
    })
    const withCopy = plan({
      local: tree(onDisk),
      synced: tree<SyncedNode>({ ...synced, 'a/2': copy }),
      remote: there,
    })
    for (const { pulls } of [withPipe, withCopy]) {
      expect(pulls.map(({ kind }) => kind)).not.toContain('pull-directory-move')
      expect(pulls.map(({ kind }) => kind)).toContain('pull-move')
    }
  })

  it.each([
    { files: 12, gone: 10, isHeld: false },
    { files: 30, gone: 11, isHeld: false },
    { files: 20, gone: 11, isHeld: true },
    { files: 3_000, gone: 1_000, isHeld: false },
    { files: 3_000, gone: 1_001, isHeld: true },
  ])('of $files files with $gone gone is held: $isHeld', ({ files, gone, isHeld }) => {
    const names = Array.from({ length: files }, (_, at) => `file ${at}`)
    const { hold } = plan({
      local: tree(Object.fromEntries(names.slice(gone).map((name) => [name, local(name)]))),
      synced: tree(Object.fromEntries(names.map((name) => [name, agreed(name)]))),
      remote: tree(Object.fromEntries(names.map((name) => [name, remote(name)]))),
    })
    expect(hold).toEqual(isHeld ? { removals: gone, files } : undefined)
  })

  it('does not take moved files for removed ones', () => {
    const names = Array.from({ length: 40 }, (_, at) => `file ${at}`)
    const { hold } = plan({
      local: tree({
        d: DIRECTORY,
        ...Object.fromEntries(names.map((name) => [`d/${name}`, local(name)])),
      }),
      synced: tree(Object.fromEntries(names.map((name) => [name, agreed(name)]))),
      remote: tree(Object.fromEntries(names.map((name) => [name, remote(name)]))),
    })
    expect(hold).toBeUndefined()
  })
})

const DIRECTORY = { kind: 'directory' } as const
const DOTS: Dots = new Map([['00'.repeat(8) as TagHex, 1]])

function tree<Node>(nodes: Record<string, Node>): Map<PathText, Node> {
  return new Map(Object.entries(nodes) as [PathText, Node][])
}

function local(text: string): LocalNode {
  return { kind: 'file', hash: text as ContentHash, isExecutable: false }
}

function remote(text: string): RemoteNode {
  return { kind: 'file', key: text as ContentKey, isExecutable: false, dots: DOTS }
}

function agreed(text: string): SyncedNode {
  const [hash, key] = [text as ContentHash, text as ContentKey]
  return { kind: 'file', hash, key, isExecutable: false, dots: DOTS }
}
