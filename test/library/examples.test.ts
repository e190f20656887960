import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestGrid } from '../end-to-end/grid.ts'
import { ROOT } from '../tidy/sources.ts'
import { Consumer } from './consumer.ts'

/** A program in a document, and what it prints, where the document tells. */
interface Example {
  readonly title: string
  readonly name: string
  readonly program: string
  readonly output: string
}

const DOCUMENTS = ['README.md', 'docs/library.md']
/** Two of five, as the document says. */
const NODES = 5

const examples = DOCUMENTS.flatMap((path) => examplesIn(path))
let grid: TestGrid
let consumer: Consumer
let complaints: string

beforeAll(async () => {
  consumer = await Consumer.create()
  for (const { name, program } of examples) await consumer.write(`${name}.ts`, program)
  ;[grid, complaints] = await Promise.all([TestGrid.start(NODES), consumer.compile()])
})
afterAll(async () => {
  await grid.end()
  await consumer[Symbol.asyncDispose]()
})

describe('the examples', () => {
  it('are there, and each tells what it prints', () => {
    expect(examples.length).toBeGreaterThan(10)
    expect(examples.filter(({ output }) => output === '').map(({ title }) => title)).toEqual([])
  })

  it('compile', () => {
    expect(complaints).toBe('')
  })

  it.each(examples)('$title: prints what the document says', async ({ name, output }) => {
    const { stdout, stderr } = await consumer.run(`${name}.js`, grid.home)
    expect(stderr).toBe('')
    expect(stdout).toMatch(patternOf(output))
  })
})

function examplesIn(path: string): Example[] {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const blocks = text.matchAll(/^```ts\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```\n)?/gm)
  return Array.from(blocks, ([, program = '', output = ''], at) => ({
    title: `${path}, example ${at + 1}`,
    name: `${path.replace(/\W+/g, '-')}-${at + 1}`,
    program,
    output,
  }))
}

/** An ellipsis in the document stands for anything within a line. */
function patternOf(output: string): RegExp {
  const parts = output
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`)
}
