import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignColumns } from '../../src/cli/folders/columns.ts'
import { count, printable, printableName } from '../../src/cli/terminal.ts'

describe('a name on a terminal', () => {
  it('moves no cursor, changes no colour and turns no direction', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printableName(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u)
        expect(printable(text)).not.toMatch(/(?!\n)\p{Cc}/u)
      }),
    )
  })

  it('is otherwise as it is', () => {
    expect(printableName('naïve 文件 😀.txt')).toBe('naïve 文件 😀.txt')
    expect(printableName('a\u001b[31m\nb\u202e')).toBe('a\\x1b[31m\\nb\\u{202e}')
  })
})

describe('columns', () => {
  it('are as wide as they must be, and end where the text does', () => {
    const rows = [
      ['1', 'a', 'name '],
      ['100', 'bbb', ''],
    ]
    expect(alignColumns(rows, ['right', 'left', 'left'])).toEqual(['  1  a    name ', '100  bbb'])
  })
})

describe('a count', () => {
  it('has a plural', () => {
    expect([count(1, 'entry', 'entries'), count(2, 'entry', 'entries'), count(0, 'file')]).toEqual([
      '1 entry',
      '2 entries',
      '0 files',
    ])
  })
})
