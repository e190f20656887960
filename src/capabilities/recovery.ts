import { entropyToMnemonic, mnemonicToEntropy } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { HayloftError } from '../foundation/error.ts'
import { accountSecret } from './account.ts'
import type { AccountSecret } from './account.ts'
import { formatText, parseText } from './checked-text.ts'
import { RECOVERY_KIND } from './kinds.ts'

/**
 * The recovery key as one word of Bech32m, `hayrecovery1…`. DANGER: this is the account itself. It is shown only where
 * someone asked to see it.
 */
export function formatRecoveryKey(secret: AccountSecret): string {
  return formatText(RECOVERY_KIND, secret)
}

/** The same as 24 English words of BIP 39: made for paper, where a misread letter still leaves the word clear. */
export function recoveryWords(secret: AccountSecret): string[] {
  return entropyToMnemonic(secret, wordlist).split(' ')
}

/**
 * Either form of a recovery key. Words may be in any case, on many lines, and numbered (`1. word`, `2) word`).
 *
 * @throws MalformedCapabilityError about one word of Bech32m, MalformedRecoveryWordsError about several
 */
export function parseRecoveryKey(text: string): AccountSecret {
  const trimmed = text.trim()
  const isOneWord = !/\s/u.test(trimmed)
  // One written over several lines is still one: all of its lines together hold a digit after "hayrecovery".
  if (isOneWord || /^hayrecovery1/i.test(trimmed)) {
    const { body } = parseText(trimmed, { noun: 'recovery key', kinds: [RECOVERY_KIND] })
    return accountSecret(body)
  }
  return secretOfWords(wordsIn(trimmed))
}

/** Words that are no recovery key. Neither message nor fields repeat one: places only. */
export class MalformedRecoveryWordsError extends HayloftError {
  readonly code = 'recovery-words-malformed'
  readonly reason: 'count' | 'unknown-word' | 'checksum'
  /** Of the words that are not in the list; 1 is the first word. */
  readonly positions: readonly number[]

  constructor(
    reason: MalformedRecoveryWordsError['reason'],
    message: string,
    positions: readonly number[] = [],
  ) {
    super(message)
    this.reason = reason
    this.positions = positions
  }
}

const WORD_COUNT = 24

/** What stands in a list of words that are numbered: `12`, `12.`, `12)`, `12:` and nothing else. */
const NUMBERING = /^\d{1,2}[.):]?$/

function wordsIn(text: string): string[] {
  return (
    text
      .normalize('NFKD')
      .toLowerCase()
      // "3.word" too: no word holds a digit or such a mark.
      .replaceAll(/(\d[.):]?)(?=\p{L})/gu, '$1 ')
      .split(/[\s,;]+/u)
      .filter((part) => part !== '' && !NUMBERING.test(part))
  )
}

function secretOfWords(words: readonly string[]): AccountSecret {
  const strangers = words.flatMap((word, at) => (WORDS.has(word) ? [] : [at + 1]))
  if (strangers.length > 0 && words.length <= 2 * WORD_COUNT) throw unknownWords(strangers)
  if (words.length !== WORD_COUNT) {
    throw new MalformedRecoveryWordsError(
      'count',
      `A recovery key has ${WORD_COUNT} words, and this has ${words.length}.`,
    )
  }
  try {
    return accountSecret(mnemonicToEntropy(words.join(' '), wordlist))
  } catch {
    // Count and words are right, so this is the checksum. The library's error is not kept: it might hold the words.
    throw checksumFailure()
  }
}

function unknownWords(positions: readonly number[]): MalformedRecoveryWordsError {
  const [first] = positions
  const which =
    positions.length === 1
      ? `Word ${first} is not one`
      : `Words ${positions.slice(0, -1).join(', ')} and ${positions.at(-1)} are not ones`
  return new MalformedRecoveryWordsError(
    'unknown-word',
    `${which} that recovery keys are made of. Compare with the paper: the first four letters of a word tell it from all others.`,
    positions,
  )
}

function checksumFailure(): MalformedRecoveryWordsError {
  return new MalformedRecoveryWordsError(
    'checksum',
    `All ${WORD_COUNT} words are in the list, but they are no recovery key together: the checksum does not fit. ` +
      'A word is another one than on the paper, or two changed places.',
  )
}

const WORDS: ReadonlySet<string> = new Set(wordlist)
