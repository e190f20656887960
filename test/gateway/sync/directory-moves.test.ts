import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findDirectoryMoves, movedPath } from '../../../src/gateway/sync/directory-moves.ts'
import { parentOf, type PathText } from '../../../src/gateway/sync/trees.ts'

describe('directories that were moved', () => {
  it('are found by the files that go and come', () => {
    expect(moves({ 'a/1': 'x', 'a/2': 'y' }, { 'b/1': 'x', 'b/2': 'y' })).toEqual([['a', 'b']])
  })

  it('are the highest that have the same in them', () => {
    const going = { 'a/b/1': 'x', 'a/b/c/2': 'y' }
    expect(moves(going, { 'd/b/1': 'x', 'd/b/c/2': 'y' })).toEqual([['a', 'd']])
    expect(moves(going, { 'a/e/1': 'x', 'a/e/c/2': 'y' }, { stays: ['a'] })).toEqual([
      ['a/b', 'a/e'],
    ])
  })

  it('may have lost, got and changed less than half of their files', () => {
    const going = { 'a/1': 'x', 'a/2': 'y', 'a/3': 'z', 'a/4': 'w' }
    expect(moves(going, { 'b/1': 'x', 'b/2': 'y', 'b/3': 'new', 'b/5': 'w' })).toEqual([['a', 'b']])
    expect(moves(going, { 'b/1': 'x', 'b/2': 'new', 'b/3': 'new', 'b/5': 'w' })).toEqual([])
  })

  it('go where most of their files are', () => {
    const going = { 'a/1': 'x', 'a/2': 'y', 'a/3': 'z' }
    expect(moves(going, { 'b/1': 'x', 'c/2': 'y', 'c/3': 'z' })).toEqual([['a', 'c']])
  })

  it('are none where a directory stays or was there before', () => {
    expect(moves({ 'a/1': 'x' }, { 'b/1': 'x' }, { stays: ['a'] })).toEqual([])
    expect(moves({ 'a/1': 'x' }, { 'b/1': 'x' }, { stays: ['b'] })).toEqual([])
  })

  it('lie neither in each other nor where another one was, and were there', () => {
    fc.assert(
      fc.property(treeArbitrary(), treeArbitrary(), (going, coming) => {
        const found = moves(going, coming)
        const ends = found.flat()
        expect(new Set(ends).size).toBe(ends.length)
        for (const end of ends) {
          expect(ends.filter((other) => other.startsWith(`${end}/`))).toEqual([])
        }
        for (const [from, to] of found) {
          const [was, is] = [Object.keys(going), new Map(Object.entries(coming))]
          const below = was.filter((path) => path.startsWith(`${from}/`))
          const same = below.filter((path) => {
            const target = movedPath(path as PathText, {
              from: from as PathText,
              to: to as PathText,
            })
            return is.get(target) === going[path]
          })
          expect(2 * same.length).toBeGreaterThanOrEqual(below.length)
        }
      }),
    )
  })
})

function treeArbitrary(): fc.Arbitrary<Record<string, string>> {
  const name = fc.constantFrom('a', 'b', 'c')
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
  return fc.dictionary(path, fc.constantFrom('x', 'y', 'z'), { maxKeys: 12 })
}

/** Pairs of directories; those above files go and come unless they stay. */
function moves(
  going: Record<string, string>,
  coming: Record<string, string>,
  { stays = [] }: { stays?: string[] } = {},
): [string, string][] {
  const directoriesAbove = (files: Record<string, string>): Set<PathText> => {
    const above = new Set<PathText>()
    for (const path of Object.keys(files)) {
      for (let at = parentOf(path as PathText); at !== undefined; at = parentOf(at)) above.add(at)
    }
    for (const path of stays) above.delete(path as PathText)
    return above
  }
  const found = findDirectoryMoves({
    going: new Map(Object.entries(going) as [PathText, string][]),
    coming: new Map(Object.entries(coming) as [PathText, string][]),
    goingDirectories: directoriesAbove(going),
    comingDirectories: directoriesAbove(coming),
  })
  return found.map(({ from, to }) => [from, to])
}
