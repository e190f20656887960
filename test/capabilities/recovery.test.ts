import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountKeyOf, accountSecret, rootFolderOf } from '../../src/capabilities/account.ts'
import {
  formatRecoveryKey,
  MalformedRecoveryWordsError,
  parseRecoveryKey,
  recoveryWords,
} from '../../src/capabilities/recovery.ts'
import { formatCapability, parseCapability } from '../../src/capabilities/text.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import frozen from '../vectors/capabilities-slots.json' with { type: 'json' }
import published from '../vectors/capabilities-bip39.json' with { type: 'json' }
import { bytes32, hex, refusalOf } from './support.ts'

const secrets = bytes32.map(accountSecret)
const WORDS = (frozen.accounts[2]?.words ?? '').split(' ')

describe('a recovery key', () => {
  it('is read as it was written, as one word and as many', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const text = formatRecoveryKey(secret)
        const words = recoveryWords(secret)
        expect(text).toMatch(/^hayrecovery1q[a-z0-9]+$/)
        expect(words).toHaveLength(24)
        expect(parseRecoveryKey(text)).toEqual(secret)
        expect(parseRecoveryKey(words.join(' '))).toEqual(secret)
      }),
    )
  })

  it('is read in any case, over many lines, numbered in any way', () => {
    const ways = [
      (word: string, at: number) => `${at}. ${word}\n`,
      (word: string, at: number) => `${at}.${word}  `,
      (word: string, at: number) => `${at}) ${word.toUpperCase()}\r\n`,
      (word: string, at: number) => `#${at}: ${word}\t`,
      (word: string, at: number) => `(${at}) ${word}, `,
      (word: string, at: number) => `${at}\t${word[0]?.toUpperCase() ?? ''}${word.slice(1)}\n\n`,
      (word: string) => `${word}\u00A0`,
    ]
    fc.assert(
      fc.property(secrets, fc.constantFrom(...ways), (secret, way) => {
        const text = recoveryWords(secret).map((word, at) => way(word, at + 1))
        expect(parseRecoveryKey(text.join(''))).toEqual(secret)
      }),
    )
    const { recoveryKey = '', secret = '' } = frozen.accounts[2] ?? {}
    const wrapped = `\n${recoveryKey.slice(0, 30)}\n  ${recoveryKey.slice(30)}\n`
    expect(parseRecoveryKey(wrapped.toUpperCase())).toEqual(hex(secret))
  })

  it.each(frozen.accounts)('is frozen for the secret $secret', (vector) => {
    const secret = accountSecret(hex(vector.secret))
    expect(formatRecoveryKey(secret)).toBe(vector.recoveryKey)
    expect(recoveryWords(secret).join(' ')).toBe(vector.words)
    expect(toHex(accountKeyOf(secret))).toBe(vector.accountKey)
    expect(formatCapability(rootFolderOf(secret))).toBe(vector.rootFolder)
  })

  it.each(published.vectors)('has the words that BIP 39 gives for $entropy', (vector) => {
    expect(recoveryWords(accountSecret(hex(vector.entropy))).join(' ')).toBe(vector.words)
    expect(toHex(parseRecoveryKey(vector.words))).toBe(vector.entropy)
  })
})

describe('of a recovery key in words', () => {
  it('every word that is in no list is named by its place and not repeated', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 23 }), { minLength: 1, maxLength: 8 }), (places) => {
        const sorted = places.toSorted((a, b) => a - b)
        const changed = WORDS.map((word, at) => (places.includes(at) ? `${word}x7` : word))
        const refusal = wordsRefusalOf(changed.join(' '))
        expect(refusal.reason).toBe('unknown-word')
        expect(refusal.positions).toEqual(sorted.map((at) => at + 1))
        expectNoWord(refusal.message)
        for (const at of sorted) expect(refusal.message).toMatch(new RegExp(`\\b${at + 1}\\b`))
      }),
    )
  })

  it('a wrong checksum is told from a wrong word', () => {
    const others = WORDS.with(3, WORDS[3] === 'zoo' ? 'zone' : 'zoo')
    const refusal = wordsRefusalOf(others.join(' '))
    expect(refusal).toMatchObject({ reason: 'checksum', positions: [] })
    expectNoWord(refusal.message)
  })

  it('a word taken for another is found but for about one time in 256', () => {
    const lists = new Set<string>()
    for (const word of new Set(frozen.accounts.flatMap(({ words }) => words.split(' ')))) {
      for (const at of WORDS.keys()) lists.add(WORDS.with(at, word).join(' '))
    }
    lists.delete(WORDS.join(' '))
    const taken = [...lists].filter((list) => {
      try {
        parseRecoveryKey(list)
        return true
      } catch {
        return false
      }
    })
    expect(lists.size).toBeGreaterThan(1000)
    expect(taken.length).toBeLessThan(lists.size / 64)
  })

  it.each([
    ['23 words', WORDS.slice(1).join(' '), 'count', '23'],
    ['25 words', [...WORDS, 'zoo'].join(' '), 'count', '25'],
    ['12 words', WORDS.slice(12).join(' '), 'count', '12'],
    ['prose', 'it was the best of times it was the worst of times', 'foreign', '24 English words'],
  ])('%s are refused', (_, text, reason, message) => {
    const refusal = wordsRefusalOf(text)
    expect(refusal.reason).toBe(reason)
    expect(refusal.message).toContain(message)
  })
})

describe('of a recovery key in one word', () => {
  const text = frozen.accounts[3]?.recoveryKey ?? ''

  it('every wrong symbol is found where it is', () => {
    for (let index = text.indexOf('1') + 1; index < text.length; index++) {
      const symbol = text[index] === 'q' ? 'p' : 'q'
      const mistyped = text.slice(0, index) + symbol + text.slice(index + 1)
      const refusal = refusalOf(mistyped, parseRecoveryKey)
      expect(refusal).toMatchObject({ reason: 'mistyped', position: index + 1 })
      expect(refusal.message).toContain('recovery key')
    }
  })

  it.each([
    ['', 'empty'],
    [text.slice(0, 40), 'length'],
    ['hunter2', 'no-kind'],
    [frozen.slots[0]?.folder.write ?? '', 'unknown-kind'],
  ])('%j is refused', (given, reason) => {
    expect(refusalOf(given, parseRecoveryKey).reason).toBe(reason)
  })

  it('nothing else takes it for a capability', () => {
    expect(refusalOf(text, parseCapability).reason).toBe('recovery-key')
  })
})

it('any text at all is a recovery key or a typed error', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      try {
        parseRecoveryKey(text)
      } catch (thrown) {
        expect(thrown).toHaveProperty('code', expect.stringMatching(/-malformed$/))
      }
    }),
  )
})

function wordsRefusalOf(text: string): MalformedRecoveryWordsError {
  try {
    parseRecoveryKey(text)
  } catch (thrown) {
    if (thrown instanceof MalformedRecoveryWordsError) return thrown
    throw thrown
  }
  throw new Error('the words were taken for a recovery key')
}

/** Words of the key that are long enough not to be words of the sentence. */
function expectNoWord(message: string): void {
  for (const word of WORDS) if (word.length > 5) expect(message).not.toContain(word)
}
