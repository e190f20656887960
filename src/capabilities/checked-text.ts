import { bech32m } from '@scure/base'
import { assert } from '../foundation/error.ts'
import { DEVICE_KIND, INVITE_KIND, LATER_PREFIXES, RECOVERY_KIND } from './kinds.ts'
import type { TextKind } from './kinds.ts'
import { MalformedCapabilityError } from './malformed.ts'
import { locateSubstitution } from './substitution.ts'

/**
 * Bytes as one lower-case word: kind ‖ `1` ‖ version symbol ‖ body ‖ six check symbols, in Bech32m (BIP 350) without its
 * limit of 90 characters.
 */
export function formatText({ prefix, minBytes, maxBytes }: TextKind, body: Uint8Array): string {
  assert(body.length >= minBytes && body.length <= maxBytes, `a ${prefix} has another length`)
  return bech32m.encode(prefix, [VERSION, ...bech32m.toWords(body)], false)
}

/**
 * The inverse of {@link formatText}; takes all upper case too, as in QR codes. A value has exactly one text but for that.
 *
 * @param expected - the kinds that belong here, and what people call any of them
 * @throws MalformedCapabilityError that says what is wrong and where, without repeating the text
 */
export function parseText<K extends TextKind>(
  text: string,
  expected: Expected<K>,
): { kind: K; body: Uint8Array } {
  refuseForeign(text, expected)
  const lower = refuseMixedCase(text, expected)
  const kind = kindIn(lower, expected)
  const symbols = symbolsIn(lower, kind.prefix)
  const checked = bech32m.decodeUnsafe(lower, false)
  if (checked === undefined) return refuseChecksum(kind, symbols, expected)
  const [version, ...words] = checked.words
  if (version !== VERSION) throw otherVersion(version, kind.prefix)
  return { kind, body: bodyIn(words, kind) }
}

export interface Expected<K extends TextKind> {
  /** `capability` */
  readonly noun: string
  readonly kinds: readonly K[]
}

/** The first symbol. Another value means another format of all that follows. */
const VERSION = 0

const CHECKSUM_SYMBOLS = 6
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/** Things that people paste by mistake, told before their characters are. */
function refuseForeign(text: string, { noun }: Expected<TextKind>): void {
  if (text === '') {
    throw new MalformedCapabilityError('empty', `The ${noun} is empty.`)
  }
  if (/^uri:/i.test(text)) {
    throw new MalformedCapabilityError(
      'foreign',
      'This is a capability of Tahoe-LAFS, which Hayloft cannot use. Fetch the file with Tahoe-LAFS and put it into Hayloft.',
    )
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw new MalformedCapabilityError(
      'foreign',
      `This is a web address, not ${withArticle(noun)}. If it holds one, that stands after the "#": give it alone.`,
    )
  }
  const space = characterAt(text, /\s/u)
  if (space !== undefined) {
    throw new MalformedCapabilityError(
      'white-space',
      `There is white space inside the ${noun}, at character ${space.position}. A ${noun} is one word: join its lines and remove the spaces.`,
      space.position,
    )
  }
}

/** @returns the text in lower case */
function refuseMixedCase(text: string, { noun }: Expected<TextKind>): string {
  // ASCII alone: other letters belong to no capability and are refused as characters.
  const upperCount = text.match(/[A-Z]/g)?.length ?? 0
  const lowerCount = text.match(/[a-z]/g)?.length ?? 0
  if (upperCount === 0) return text
  if (lowerCount === 0) return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  const stray = characterAt(text, upperCount <= lowerCount ? /[A-Z]/ : /[a-z]/)
  throw new MalformedCapabilityError(
    'mixed-case',
    `The ${noun} changes between upper and lower case at character ${stray?.position}. It has to be all of one.`,
    stray?.position,
  )
}

function kindIn<K extends TextKind>(lower: string, expected: Expected<K>): K {
  // The first 1: our prefixes hold none, and a stray one further on must not drag secret symbols into "the prefix".
  const separator = lower.indexOf('1')
  if (separator === -1) throw noSeparator(lower, expected)
  const prefix = lower.slice(0, separator)
  const known = expected.kinds.find((kind) => kind.prefix === prefix)
  if (known !== undefined) return known
  throw unexpectedKind(prefix, expected)
}

function unexpectedKind(
  prefix: string,
  { noun, kinds }: Expected<TextKind>,
): MalformedCapabilityError {
  const other = OTHER_WORDS.find(({ kind }) => kind.prefix === prefix)
  if (other !== undefined) {
    return new MalformedCapabilityError(other.reason, other.sentence(noun))
  }
  if (LATER_PREFIXES.includes(prefix)) {
    return new MalformedCapabilityError(
      'kind-not-yet-usable',
      `${prefix} is a kind of capability that this version of Hayloft cannot use yet. A later one can.`,
    )
  }
  // Repeating what looks like one of our prefixes is safe; anything else may be a secret of another kind.
  const name = /^hay[a-z]{0,17}$/.test(prefix) ? prefix : 'What stands before the "1"'
  return new MalformedCapabilityError(
    'unknown-kind',
    `${name} is not a kind of ${noun} Hayloft knows; it knows ${listed(kinds)}.`,
    1,
  )
}

/** Words that are no capabilities, and that people give where one belongs. */
const OTHER_WORDS: readonly {
  readonly kind: TextKind
  readonly reason: 'recovery-key' | 'invite' | 'device-word'
  readonly sentence: (noun: string) => string
}[] = [
  {
    kind: RECOVERY_KIND,
    reason: 'recovery-key',
    sentence: (noun) =>
      `This is an account's recovery key, not ${withArticle(noun)}: whoever has it has all of the account. ` +
      'Only "hayloft recover" takes it. Show it to nobody.',
  },
  {
    kind: INVITE_KIND,
    reason: 'invite',
    sentence: (noun) =>
      `This is an invite to a grid, not ${withArticle(noun)}. "hayloft grid join" takes it.`,
  },
  {
    kind: DEVICE_KIND,
    reason: 'device-word',
    sentence: (noun) =>
      `This is what lets another device of yours into your grid, not ${withArticle(noun)}: whoever has it has all of your account. ` +
      'Only "hayloft grid join" takes it. Show it to nobody.',
  },
]

function withArticle(noun: string): string {
  return /^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`
}

function noSeparator(lower: string, { noun, kinds }: Expected<TextKind>): MalformedCapabilityError {
  const prefixes = [...kinds.map(({ prefix }) => prefix), ...LATER_PREFIXES]
  const begun = prefixes
    .filter((prefix) => lower.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0]
  if (begun === undefined) {
    return new MalformedCapabilityError(
      'no-kind',
      `This is not ${withArticle(noun)}. One begins with its kind and a "1", such as ${kinds[0]?.prefix}1.`,
      1,
    )
  }
  const position = begun.length + 1
  return new MalformedCapabilityError(
    'no-kind',
    `A "1" is missing after ${begun}, at character ${position}.`,
    position,
  )
}

/** The values of the symbols after the `1`. */
function symbolsIn(lower: string, prefix: string): number[] {
  const start = prefix.length + 1
  const data = lower.slice(start)
  const stray = characterAt(data, /[^qpzry9x8gf2tvdw0s3jn54khce6mua7l]/u)
  if (stray !== undefined) {
    const position = start + stray.position
    throw new MalformedCapabilityError(
      'character',
      `Character ${position}, ${shown(stray.character)}, is none that a capability holds.${hintFor(stray.character)}`,
      position,
    )
  }
  return Array.from(data, (character) => ALPHABET.indexOf(character))
}

/** In quotes if it can be seen, else by number: an invisible or right-to-left character would garble the message. */
function shown(character: string): string {
  if (/^[!-~]$/.test(character)) return `"${character}"`
  const number = character.codePointAt(0) ?? 0
  return `U+${number.toString(16).toUpperCase().padStart(4, '0')}`
}

function hintFor(character: string): string {
  if ('1bio'.includes(character)) {
    return ' Capabilities avoid 1, b, i and o after their kind: it may be an l, 6 or 0.'
  }
  if (character === '/') return ' A path can only follow the capability of a folder.'
  return ''
}

function refuseChecksum(
  { prefix, minBytes, maxBytes }: TextKind,
  symbols: number[],
  { noun }: Expected<TextKind>,
): never {
  const around = prefix.length + 1 + 1 + CHECKSUM_SYMBOLS
  const actual = prefix.length + 1 + symbols.length
  const min = around + Math.ceil((minBytes * 8) / 5)
  const max = around + Math.ceil((maxBytes * 8) / 5)
  if (actual < min || actual > max) {
    const expected = min === max ? `${min}` : `${min} to ${max}`
    const advice = actual < min ? 'Part of it is missing' : 'Something is attached to it'
    throw new MalformedCapabilityError(
      'length',
      `A ${prefix} has ${expected} characters and this has ${actual}. ${advice}: copy the whole of it, and nothing else.`,
      Math.min(actual, max) + 1,
    )
  }
  const index = locateSubstitution(prefix, symbols)
  const position = index === undefined ? undefined : prefix.length + 1 + index + 1
  const where =
    position === undefined
      ? 'More than one character is wrong, missing or out of place.'
      : `Character ${position} seems to be the wrong one.`
  throw new MalformedCapabilityError(
    'mistyped',
    `The ${noun} was mistyped: its checksum does not fit. ${where} Compare it with the original.`,
    position,
  )
}

function otherVersion(version: number | undefined, prefix: string): MalformedCapabilityError {
  return new MalformedCapabilityError(
    'version',
    `This ${prefix} has format version ${version ?? 'none'}; this version of Hayloft knows only version ${VERSION}.`,
    prefix.length + 2,
  )
}

/** Text whose checksum fits but that Hayloft never writes comes from a faulty or hostile program. */
function bodyIn(words: number[], { prefix, minBytes, maxBytes }: TextKind): Uint8Array {
  const body = bech32m.fromWordsUnsafe(words)
  if (body === undefined) {
    throw new MalformedCapabilityError(
      'padding',
      `This ${prefix} was not written by Hayloft: the bits that fill its last symbol are not zeros. Ask for it anew.`,
    )
  }
  if (body.length < minBytes || body.length > maxBytes) {
    throw new MalformedCapabilityError(
      'length',
      `This ${prefix} was not written by Hayloft: it holds ${body.length} bytes, and one holds ${maxBytes}${minBytes < maxBytes ? ' at most' : ''}.`,
    )
  }
  return body
}

function listed(kinds: readonly TextKind[]): string {
  const prefixes = kinds.map(({ prefix }) => prefix)
  if (prefixes.length < 2) return prefixes.join('')
  return `${prefixes.slice(0, -1).join(', ')} and ${prefixes.at(-1)}`
}

/** The first match of `pattern` (one character), counted in characters as people see them, from 1. */
function characterAt(
  text: string,
  pattern: RegExp,
): { character: string; position: number } | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  return { character: match[0], position: Array.from(text.slice(0, match.index)).length + 1 }
}
