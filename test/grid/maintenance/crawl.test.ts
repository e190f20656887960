import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../../src/crypto/hash.ts'
import { toHex, utf8 } from '../../../src/foundation/bytes.ts'
import type { Link } from '../../../src/grid/blocks/frame.ts'
import { crawl } from '../../../src/grid/maintenance/crawl.ts'
import {
  Frontier,
  type Found,
  type HistoryOptions,
} from '../../../src/grid/maintenance/frontier.ts'
import { blockId } from '../../../src/protocol/block-id.ts'

/** What each node leads to: numbers of nodes, some of them by way of the past. */
type Graph = readonly (readonly { readonly to: number; readonly isPast: boolean }[])[]

const idOf = (node: number): Uint8Array => sha256(utf8(`node ${node}`))

function linkOf(node: number, isPast: boolean): Link {
  const id = blockId(idOf(node))
  return { type: isPast ? 'history' : 'block', id, verifyKey: idOf(-node) }
}

/** Visits a graph and tells how far back each node was found, and in how many batches. */
async function visit(
  graph: Graph,
  { hops = () => 0, ...options }: HistoryOptions & { hops?: () => number } = {},
): Promise<{ past: Map<number, number>; visits: number; batches: number }> {
  const numbers = new Map(graph.map((_, node) => [toHex(idOf(node)), node]))
  const frontier = new Frontier(options)
  frontier.addRoot(linkOf(0, false))
  const past = new Map<number, number>()
  let visits = 0
  let batches = 0
  const lookAt = async (found: Found): Promise<void> => {
    for (let hop = hops(); hop > 0; hop--) await Promise.resolve()
    if (found.link.type === 'slot') throw new Error('there are no slots here')
    const node = numbers.get(toHex(found.link.id))!
    visits += 1
    past.set(node, found.past)
    const links = graph[node]!.map(({ to, isPast }) => linkOf(to, isPast))
    frontier.addBelow(found, links)
  }
  const lookAtAll = async (batch: readonly Found[]): Promise<void> => {
    batches += 1
    await Promise.all(batch.map(lookAt))
  }
  await crawl(frontier, lookAtAll, undefined)
  expect(frontier.found).toBe(past.size)
  return { past, visits, batches }
}

/** The fewest steps into the past on any way to each node: relaxed until nothing changes (Bellman and Ford). */
function expectedPast(graph: Graph, history = Infinity): Map<number, number> {
  const past = new Map([[0, 0]])
  for (let changed = true; changed;) {
    changed = false
    for (const [node, links] of graph.entries()) {
      const own = past.get(node)
      if (own === undefined) continue
      for (const { to, isPast } of links) {
        const there = own + (isPast ? 1 : 0)
        if (there > history || there >= (past.get(to) ?? Infinity)) continue
        past.set(to, there)
        changed = true
      }
    }
  }
  return past
}

const graphs = fc.integer({ min: 1, max: 30 }).chain((nodes) => {
  const link = fc.record({ to: fc.nat(nodes - 1), isPast: fc.boolean() })
  const links = fc.array(link, { maxLength: 4 })
  return fc.array(links, { minLength: nodes, maxLength: nodes })
})

const sorted = (past: ReadonlyMap<number, number>): [number, number][] =>
  [...past].sort(([a], [b]) => a - b)

describe('a walk', () => {
  it('finds all there is, once, as near to the present as any way leads there', async () => {
    const history = fc.option(fc.nat(3), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(graphs, history, fc.infiniteStream(fc.nat(5)), async (graph, back, hops) => {
        const { past, visits } = await visit(graph, {
          history: back,
          hops: () => hops.next().value as number,
        })
        expect(sorted(past)).toEqual(sorted(expectedPast(graph, back)))
        expect(visits).toBe(past.size)
      }),
    )
  })

  it('takes what is many in large batches', async () => {
    const fanOut = 40
    const graph: Graph = Array.from({ length: 1 + fanOut + fanOut ** 2 }, (_, node) =>
      node > fanOut
        ? []
        : Array.from({ length: fanOut }, (_, at) => ({
            to: node * fanOut + at + 1,
            isPast: false,
          })),
    )
    const { past, batches } = await visit(graph)
    expect(past.size).toBe(graph.length)
    expect(batches).toBeLessThan(12)
  })

  it('passes through states of the past that are not wanted, without what was in them', async () => {
    // A state, the three before it, and a block that each of these leads to.
    const graph: Graph = [
      [{ to: 1, isPast: true }],
      [
        { to: 4, isPast: false },
        { to: 2, isPast: true },
      ],
      [
        { to: 5, isPast: false },
        { to: 3, isPast: true },
      ],
      [{ to: 6, isPast: false }],
      [],
      [],
      [],
    ]
    const wanted = toHex(idOf(2))
    const { past } = await visit(graph, { keeps: (state) => toHex(state) === wanted })
    expect(sorted(past)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
      [5, 2],
    ])
  })

  it('ends with the first failure, once what was under way has ended', async () => {
    const frontier = new Frontier({})
    frontier.addRoot(linkOf(0, false))
    const failure = new Error('no good')
    const work = crawl(frontier, async () => await Promise.reject(failure), undefined)
    await expect(work).rejects.toBe(failure)
  })

  it('ends when it is told to', async () => {
    const frontier = new Frontier({})
    frontier.addRoot(linkOf(0, false))
    const stop = new AbortController()
    const work = crawl(
      frontier,
      async (_, signal) => {
        stop.abort(new Error('enough'))
        signal.throwIfAborted()
        return await Promise.resolve()
      },
      stop.signal,
    )
    await expect(work).rejects.toThrow('enough')
  })
})
