import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawChart, plainNumber, type Chart } from '../../simulations/models/chart.ts'
import { EventQueue } from '../../simulations/models/event-queue.ts'

describe('charts', () => {
  const chart = (y: number): Chart => ({
    title: 'a < b & "c"',
    x: { label: 'x', scale: 'log', min: 1, max: 1000 },
    y: { label: 'y', scale: 'log', min: 1e-9, max: 1 },
    series: [
      {
        name: 'line',
        points: [
          [1, y],
          [10, y / 2, y / 4],
          [1e9, y],
        ],
      },
    ],
    marks: [{ y: 0.001, name: 'mark' }],
  })

  it('have a place for every number, and leave out what lies outside', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-8, max: 1, noNaN: true }), (y) => {
        const svg = drawChart(chart(y))
        expect(svg).not.toMatch(/NaN|Infinity|undefined/)
        expect(svg.match(/d="M[^"]*"/)?.[0].split('L')).toHaveLength(2)
        expect(drawChart(chart(y))).toBe(svg)
      }),
    )
    expect(drawChart(chart(0.5))).toContain('a &lt; b &amp; &quot;c&quot;')
  })

  it('write numbers as people do', () => {
    const numbers = [0, 0.05, 12_000, 1e6, 1e-7, 2.5e-4, 3e12]
    expect(numbers.map(plainNumber)).toEqual([
      '0',
      '0.05',
      '12,000',
      '1,000,000',
      '10⁻⁷',
      '2.5 · 10⁻⁴',
      '3 · 10¹²',
    ])
  })
})

describe('a queue of events', () => {
  it('gives them by time, and by age at one time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 })), (times) => {
        const queue = new EventQueue<number>()
        for (const [order, at] of times.entries()) queue.add(at, order)
        const taken = times.map(() => queue.take()!)
        expect(queue.take()).toBeUndefined()
        const sorted = times
          .map((at, event) => ({ at, event }))
          .toSorted((a, b) => a.at - b.at || a.event - b.event)
        expect(taken.map(({ at, event }) => ({ at, event }))).toEqual(sorted)
      }),
    )
  })
})
