import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { withoutComments } from '../tidy/imports.ts'
import { readSources, ROOT } from '../tidy/sources.ts'

interface Documented {
  readonly code: string
  readonly name: string
}

const sources = readSources(['src'], '.ts').map(({ path, text }) => ({
  path,
  text: withoutComments(text),
}))
const index = sources.find(({ path }) => path === 'src/library/index.ts')?.text ?? ''
const documented = rowsOf(readFileSync(join(ROOT, 'docs/errors.md'), 'utf8'))
const declared = sources.flatMap(({ text }) => errorsIn(text))
const commandLine = [...literalCodes('src/cli/')].map((code) => ({ code, name: 'CliError' }))

describe('the list of errors', () => {
  it('is read at all, and so is what it lists', () => {
    expect(declared.length).toBeGreaterThan(40)
    expect(declared).toContainEqual({ code: 'too-few-nodes', name: 'TooFewNodesError' })
    expect(declared).toContainEqual({ code: 'passphrase-wrong', name: 'HomeError' })
    expect(declared).toContainEqual({ code: 'io', name: 'SystemFailureError' })
    expect(commandLine).toContainEqual({ code: 'usage', name: 'CliError' })
  })

  it('has every code of every class, and no other', () => {
    // What the command line says of the library's own errors in its words is not listed twice.
    const known = new Set(declared.map(({ code }) => code))
    const own = commandLine.filter(({ code }) => !known.has(code))
    expect(documented.map(textOf).sort()).toEqual([...declared, ...own].map(textOf).sort())
  })

  it('says of each class in its first part that the library exports it, and of no other', () => {
    const exported = new Set(Array.from(index.matchAll(/\b\w+Error\b/g), ([name]) => name))
    exported.delete('HayloftError')
    const text = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
    const [first = ''] = text.split(/^## Of nodes/m)
    expect([...new Set(rowsOf(first).map(({ name }) => name))].sort()).toEqual([...exported].sort())
  })
})

function textOf({ code, name }: Documented): string {
  return `${code} of ${name}`
}

function rowsOf(markdown: string): Documented[] {
  return Array.from(
    markdown.matchAll(/^\| `([a-z-]+)` +\| `(\w+)` +\|/gm),
    ([, code = '', name = '']) => ({ code, name }),
  )
}

/** Classes of errors with each code that they may have. */
function errorsIn(text: string): Documented[] {
  const classes = text.matchAll(/class (\w+) extends HayloftError \{([\s\S]*?)\n\}/g)
  return Array.from(classes).flatMap(([, name = '', body = '']) => {
    const constant = /readonly code = '([^']+)'/.exec(body)?.[1]
    if (constant !== undefined) return [{ code: constant, name }]
    const type = /readonly code: (\w+)/.exec(body)?.[1] ?? ''
    return membersOf(type).map((code) => ({ code, name }))
  })
}

/** The texts of a union; none of `string`, whose errors are found where they are made. */
function membersOf(type: string): string[] {
  const pattern = new RegExp(`type ${type} =((?:\\s*\\|?\\s*'[^']+')+)`)
  const union = sources.map(({ text }) => pattern.exec(text)?.[1]).find((found) => found)
  return Array.from(union?.matchAll(/'([^']+)'/g) ?? [], ([, code = '']) => code)
}

function literalCodes(folder: string): Set<string> {
  const texts = sources.filter(({ path }) => path.startsWith(folder)).map(({ text }) => text)
  return new Set(
    texts.flatMap((text) =>
      Array.from(text.matchAll(/\bcode: '([a-z-]+)'/g), ([, code = '']) => code),
    ),
  )
}
