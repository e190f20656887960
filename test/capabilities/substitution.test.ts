import { bech32m } from '@scure/base'
import { describe, expect, it } from 'vitest'
import { locateSubstitution } from '../../src/capabilities/substitution.ts'
import published from '../vectors/capabilities-bip350.json' with { type: 'json' }
import { refusalOf } from './support.ts'

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/** Human-readable part and symbols, checksum included. */
function partsOf(text: string): { prefix: string; symbols: number[] } {
  const lower = text.toLowerCase()
  const separator = lower.lastIndexOf('1')
  const symbols = Array.from(lower.slice(separator + 1), (symbol) => ALPHABET.indexOf(symbol))
  return { prefix: lower.slice(0, separator), symbols }
}

describe('the published strings of BIP 350', () => {
  it.each(published.valid)('%j is valid, and one wrong symbol in it is found', (text) => {
    expect(bech32m.decodeUnsafe(text, 90)).toBeDefined()
    const { prefix, symbols } = partsOf(text)
    expect(locateSubstitution(prefix, symbols)).toBeUndefined()
    for (const [index, symbol] of symbols.entries()) {
      for (let error = 1; error < 32; error++) {
        expect(locateSubstitution(prefix, symbols.with(index, symbol ^ error))).toBe(index)
      }
    }
  })

  it.each(published.valid)('%j is no capability all the same', (text) => {
    refusalOf(text)
  })

  it.each(published.invalid)('%j is invalid', (text) => {
    expect(bech32m.decodeUnsafe(text, 90)).toBeUndefined()
    refusalOf(text)
  })
})

it('two wrong symbols are never taken for one', () => {
  const { prefix, symbols } = partsOf(published.valid[3] ?? '')
  for (let first = 0; first < symbols.length; first++) {
    for (let second = first + 1; second < symbols.length; second++) {
      for (let error = 1; error < 32; error += 3) {
        const changed = symbols
          .with(first, (symbols[first] as number) ^ error)
          .with(second, (symbols[second] as number) ^ (32 - error))
        expect(locateSubstitution(prefix, changed)).toBeUndefined()
      }
    }
  }
})
