import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { checkMemberName, InvalidMemberNameError } from '../../../src/protocol/membership/names.ts'
import { nextSequence } from '../../../src/protocol/membership/statements.ts'

it('takes names of people as they write them', () => {
  for (const name of ['Ada', "o'Neil", 'Grandma’s attic', '曾祖母', 'زهرا', 'a'.repeat(64), '😀']) {
    expect(checkMemberName(name, 'name')).toBe(name)
  }
})

it('refuses what cannot be shown or read in one way, and does not repeat it', () => {
  const wrong = {
    '': 'is empty',
    'a\nb': 'control characters',
    'a\u001b[2Jb': 'control characters',
    'a\u202eb': 'turn text around',
    'a\u2028b': 'control characters',
    'a\ud800': 'control characters',
    'e\u0301': 'normal form C',
    ' a': 'white space',
    [`${'a'.repeat(64)}b`]: 'longer than 64',
    ['a'.repeat(1e6)]: 'longer than 64',
  }
  for (const [name, why] of Object.entries(wrong)) {
    expect(() => checkMemberName(name, 'zone')).toThrow(InvalidMemberNameError)
    expect(() => checkMemberName(name, 'zone')).toThrow(why)
  }
  expect(() => checkMemberName('secret\u0000', 'zone')).not.toThrow('secret')
})

it('numbers statements upwards, and from now on after a loss of memory', () => {
  fc.assert(
    fc.property(fc.option(fc.nat(), { nil: undefined }), fc.nat(), (last, nowMs) => {
      const next = nextSequence(last, nowMs)
      expect(next).toBeGreaterThan(last ?? 0)
      expect(next).toBeGreaterThanOrEqual(nowMs)
    }),
  )
})
