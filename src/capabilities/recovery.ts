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
 * Either form of a recovery key, as people copy it from paper: in any case, over many lines, words numbered or not.
 *
 * @throws MalformedCapabilityError about `hayrecovery1…`, MalformedRecoveryWordsError about words
 */
export function parseRecoveryKey(text: string): AccountSecret {
  const joined = text.replaceAll(/\s+/gu, '')
  const isOneWord = joined === text.trim() || /^hayrecovery1/i.test(joined)
  return isOneWord ? secretOfText(joined) : secretOfWords(wordsIn(text))
}

/** Words that are no recovery key. Neither message nor fields repeat one: places only. */
export class MalformedRecoveryWordsError extends HayloftError {
  readonly code = 'recovery-words-malformed'
  readonly reason: 'count' | 'foreign' | 'unknown-word' | 'checksum'
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

/** More strangers than this, and it is not the paper that was misread but another paper. */
const MOST_MISREAD_WORDS = 8

function secretOfText(joined: string): AccountSecret {
  const { body } = parseText(joined, { noun: 'recovery key', kinds: [RECOVERY_KIND] })
  return accountSecret(body)
}

/** Without what numbers them: `3 word`, `3.word`, `#3 word`, `(3) word`. */
function wordsIn(text: string): string[] {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .split(/[\s,;]+/u)
    .map((part) => part.replace(/^[#(]?\d{1,2}[.):-]?/, ''))
    .filter((part) => /\p{L}/u.test(part))
}

function secretOfWords(words: readonly string[]): AccountSecret {
  const strangers = words.flatMap((word, at) => (WORDS.has(word) ? [] : [at + 1]))
  if (strangers.length > MOST_MISREAD_WORDS) throw foreignWords()
  if (strangers.length > 0) throw unknownWords(strangers)
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

function foreignWords(): MalformedRecoveryWordsError {
  return new MalformedRecoveryWordsError(
    'foreign',
    `This is not a recovery key: most of its words are in no list of them. One is ${WORD_COUNT} English words, or hayrecovery1 and what follows.`,
  )
}

function unknownWords(positions: readonly number[]): MalformedRecoveryWordsError {
  const [first] = positions
  const which =
    positions.length === 1
      ? `Word ${first} is not one`
      : `Words ${positions.slice(0, -1).join(', ')} and ${positions.at(-1)} are not ones`
  return new MalformedRecoveryWordsError(
    'unknown-word',
    `${which} that recovery keys are made of. Compare with the original: the first four letters tell a word from all others.`,
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
