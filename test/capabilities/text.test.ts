import { bech32m } from '@scure/base'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AssertionError } from '../../src/foundation/error.ts'
import { LATER_PREFIXES, TEXT_KINDS } from '../../src/capabilities/kinds.ts'
import { formatCapability, parseCapability } from '../../src/capabilities/text.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import frozen from '../vectors/capabilities.json' with { type: 'json' }
import frozenSlots from '../vectors/capabilities-slots.json' with { type: 'json' }
import { capabilities, hex, KINDS, refusalOf } from './support.ts'

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

describe('the text of a capability', () => {
  it('parses to what was formatted, in lower and in upper case', () => {
    fc.assert(
      fc.property(capabilities, (capability) => {
        const text = formatCapability(capability)
        expect(text).toMatch(/^hay[a-z]+1q[qpzry9x8gf2tvdw0s3jn54khce6mua7l]+$/)
        expect(parseCapability(text)).toEqual(capability)
        expect(parseCapability(text.toUpperCase())).toEqual(capability)
      }),
    )
  })

  it.each(frozen.files)('is frozen for the seed $seed', ({ key, id, verifyKey, read, verify }) => {
    const idBytes = blockId(hex(id))
    const readCapability = { kind: 'file-read', key: hex(key), id: idBytes } as const
    const verifyCapability = {
      kind: 'file-verify',
      verifyKey: hex(verifyKey),
      id: idBytes,
    } as const
    expect(formatCapability(readCapability)).toBe(read)
    expect(parseCapability(read)).toEqual(readCapability)
    expect(formatCapability(verifyCapability)).toBe(verify)
    expect(parseCapability(verify)).toEqual(verifyCapability)
  })

  it.each(frozen.literals)('is frozen for the literal "$bytes"', ({ bytes, text }) => {
    expect(formatCapability({ kind: 'literal', bytes: hex(bytes) })).toBe(text)
    expect(parseCapability(text)).toEqual({ kind: 'literal', bytes: hex(bytes) })
  })

  it.each(frozenSlots.slots)('is frozen for the slot of the seed $seed', (vector) => {
    const { folder, mutable } = vector
    const [writeKey, slot] = [hex(vector.writeKey), hex(vector.slot)]
    const [readKey, verifyKey] = [hex(vector.readKey), hex(vector.verifyKey)]
    expect(parseCapability(folder.write)).toEqual({ kind: 'folder-write', writeKey })
    expect(parseCapability(folder.read)).toEqual({ kind: 'folder-read', readKey, slot })
    expect(parseCapability(folder.verify)).toEqual({ kind: 'folder-verify', verifyKey, slot })
    expect(parseCapability(mutable.write)).toEqual({ kind: 'mutable-write', writeKey })
    expect(parseCapability(mutable.read)).toEqual({ kind: 'mutable-read', readKey, slot })
    expect(parseCapability(mutable.verify)).toEqual({ kind: 'mutable-verify', verifyKey, slot })
  })

  it.each(frozenSlots.snapshots)('is frozen for the snapshot of the seed $seed', (vector) => {
    const [key, verifyKey, id] = [hex(vector.key), hex(vector.verifyKey), hex(vector.id)]
    expect(parseCapability(vector.read)).toEqual({ kind: 'snapshot-read', key, id })
    expect(parseCapability(vector.verify)).toEqual({ kind: 'snapshot-verify', verifyKey, id })
  })

  it('is refused to values that only a bug makes', () => {
    const id = blockId(new Uint8Array(32))
    const tooLong = { kind: 'literal', bytes: new Uint8Array(65) } as const
    const noKey = { kind: 'file-read', key: new Uint8Array(31), id } as const
    expect(() => formatCapability(tooLong)).toThrow(AssertionError)
    expect(() => formatCapability(noKey)).toThrow(AssertionError)
  })
})

describe('a mistake', () => {
  const texts = [...frozen.files.slice(2).map(({ read }) => read), frozen.literals[2]?.text ?? '']

  const ofSlots = frozenSlots.slots
    .slice(2)
    .flatMap(({ folder, mutable }) => Object.values(folder).concat(Object.values(mutable)))

  it.each(texts)('in any one symbol is found where it is: %s', (text) => {
    const body = text.indexOf('1') + 1
    for (let index = body; index < text.length; index++) {
      for (const symbol of ALPHABET) {
        if (symbol === text[index]) continue
        expect(refusalOf(splice(text, index, 1, symbol))).toMatchObject({
          reason: 'mistyped',
          position: index + 1,
        })
      }
    }
  })

  it.each(ofSlots)('in any one symbol of a slot’s is found where it is: %s', (text) => {
    for (let index = text.indexOf('1') + 1; index < text.length; index++) {
      const symbol = text[index] === 'q' ? 'p' : 'q'
      expect(refusalOf(splice(text, index, 1, symbol))).toMatchObject({
        reason: 'mistyped',
        position: index + 1,
      })
    }
  })

  it.each(texts)('of any one character is refused, and placed if no symbol: %s', (text) => {
    for (let index = 0; index < text.length; index++) {
      for (const character of printable) {
        if (character === text[index]) continue
        const refusal = refusalOf(splice(text, index, 1, character))
        const isSymbol = ALPHABET.includes(character.toLowerCase())
        if (index > text.indexOf('1') && !isSymbol && !/[A-Z]/.test(character)) {
          expect(refusal.position).toBe(index + 1)
        }
      }
    }
  })

  it.each(texts)('of case is found where it is: %s', (text) => {
    for (let index = 0; index < text.length; index++) {
      const character = text[index] as string
      if (!/[a-z]/.test(character)) continue
      const expected = { reason: 'mixed-case', position: index + 1 }
      expect(refusalOf(splice(text, index, 1, character.toUpperCase()))).toMatchObject(expected)
      const inUpperCase = splice(text.toUpperCase(), index, 1, character)
      expect(refusalOf(inUpperCase)).toMatchObject(expected)
    }
  })

  it.each(texts)('of length is refused: %s', (text) => {
    for (let index = 0; index < text.length; index++) {
      refusalOf(text.slice(0, index))
      refusalOf(splice(text, index, 1, ''))
      for (const symbol of ALPHABET) refusalOf(splice(text, index, 0, symbol))
    }
    for (const symbol of ALPHABET) refusalOf(text + symbol)
    refusalOf(text + text)
  })

  it('of two neighbours swapped is refused', () => {
    for (const text of texts) {
      for (let index = 0; index + 1 < text.length; index++) {
        const swapped = `${text[index + 1]}${text[index]}`
        if (text[index] !== text[index + 1]) refusalOf(splice(text, index, 2, swapped))
      }
    }
  })

  it('never repeats the text, whatever is wrong with it', () => {
    fc.assert(
      fc.property(capabilities, fc.nat(), fc.string({ maxLength: 3 }), (capability, at, typed) => {
        const text = formatCapability(capability)
        const broken = splice(text, at % text.length, 1, typed)
        fc.pre(broken.toLowerCase() !== text)
        const { message } = refusalOf(broken)
        const body = text.slice(text.indexOf('1') + 1)
        for (let index = 0; index + 8 <= body.length; index++) {
          expect(message).not.toContain(body.slice(index, index + 8))
        }
      }),
    )
  })

  it('of any text at all is a typed error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(refusalOf(text).code).toBe('capability-malformed')
      }),
    )
  })
})

describe('the error says what is wrong with', () => {
  const text = frozen.files[3]?.read ?? ''

  it.each([
    ['', 'empty', undefined, 'empty'],
    ['URI:CHK:aaaa:bbbb:3:10:100', 'foreign', undefined, 'Tahoe-LAFS'],
    [`https://example.org/#${text}`, 'foreign', undefined, 'web address'],
    [`${text.slice(0, 30)}\n${text.slice(30)}`, 'white-space', 31, 'at character 31'],
    [`${text} `, 'white-space', 119, 'at character 119'],
    ['hayfoo1qqqqqqqq', 'unknown-kind', 1, 'hayfoo is not a kind of capability Hayloft knows'],
    ['hunter2secret1qqqqqqqq', 'unknown-kind', 1, 'What stands before the "1"'],
    [`${text.slice(8)}${text}`, 'unknown-kind', 1, 'What stands before the "1"'],
    ['hayfileqqq', 'no-kind', 8, 'missing after hayfile'],
    ['hayfileverifyqqq', 'no-kind', 14, 'missing after hayfileverify'],
    ['plain words'.replace(' ', ''), 'no-kind', 1, 'not a capability'],
    [`${text}/photos`, 'character', 119, 'A path can only follow'],
    [splice(text, 30, 1, 'b'), 'character', 31, 'avoid 1, b, i and o'],
    [splice(text, 30, 1, '1'), 'character', 31, 'avoid 1, b, i and o'],
    [splice(text, 30, 1, '\u{200b}'), 'character', 31, 'U+200B'],
    [splice(text, 30, 1, '\u{212a}'), 'character', 31, 'U+212A'],
    [splice(text, 30, 1, '\u{1f600}'), 'character', 31, 'U+1F600'],
    [text.slice(0, 100), 'length', 101, 'has 118 characters and this has 100'],
    [`${text}q`, 'length', 119, 'has 118 characters and this has 119'],
    ['hayliteral1qqq', 'length', 15, 'has 18 to 121 characters'],
  ])('%j', (broken, reason, position, words) => {
    const refusal = refusalOf(broken)
    expect(refusal).toMatchObject({ reason, position })
    expect(refusal.message).toContain(words)
  })

  it.each(LATER_PREFIXES)('%s, which a later version can use', (prefix) => {
    const later = bech32m.encode(prefix, [0, 1, 2, 3], false)
    const refusal = refusalOf(later)
    expect(refusal.reason).toBe('kind-not-yet-usable')
    expect(refusal.message).toContain(`${prefix} is a kind`)
  })

  it('another version, whatever its length', () => {
    for (const words of [0, 40, 103]) {
      const body = Array.from({ length: words }, () => 9)
      const refusal = refusalOf(bech32m.encode('hayfile', [1, ...body], false))
      expect(refusal).toMatchObject({ reason: 'version', position: 9 })
      expect(refusal.message).toContain('version 1')
    }
    expect(refusalOf(bech32m.encode('hayfile', [], false)).reason).toBe('version')
  })

  it('bodies that Hayloft never writes', () => {
    const words = bech32m.toWords(new Uint8Array(64))
    const encode = (prefix: string, body: number[]): string =>
      bech32m.encode(prefix, [0, ...body], false)
    // 64 bytes are 103 symbols and 3 bits of padding.
    for (const padding of [1, 2, 4, 7]) {
      expect(refusalOf(encode('hayfile', [...words.slice(0, -1), padding])).reason).toBe('padding')
    }
    expect(refusalOf(encode('hayliteral', [0])).reason).toBe('padding')
    expect(refusalOf(encode('hayfile', bech32m.toWords(new Uint8Array(65)))).reason).toBe('length')
    expect(refusalOf(encode('hayfile', words.slice(2))).reason).toBe('length')
    expect(refusalOf(encode('hayliteral', bech32m.toWords(new Uint8Array(65)))).reason).toBe(
      'length',
    )
  })

  it('a checksum of plain Bech32, or of another prefix', () => {
    refusalOf(splice(text, 0, 'hayfile'.length, 'hayfileverify'))
    const data = text.slice('hayfile1'.length)
    expect(refusalOf(`hayliteral1${data}`).reason).toBe('mistyped')
  })
})

describe('no two kinds', () => {
  const all = frozenSlots.slots
    .flatMap(({ folder, mutable }) => [folder, mutable])
    .flatMap(({ write, read, verify }) => [write, read, verify])
    .concat(frozenSlots.snapshots.flatMap(({ read, verify }) => [read, verify]))
    .concat(frozen.files.flatMap(({ read, verify }) => [read, verify]))

  it('have one prefix, and each kind has one', () => {
    const prefixes = TEXT_KINDS.map(({ prefix }) => prefix)
    expect(new Set(prefixes).size).toBe(prefixes.length)
    expect(TEXT_KINDS.map(({ kind }) => kind).toSorted()).toEqual(KINDS.toSorted())
  })

  it('are one under another’s name', () => {
    for (const text of all) {
      const [own, data = ''] = text.split('1', 2)
      for (const { prefix } of TEXT_KINDS) {
        if (prefix !== own) refusalOf(`${prefix}1${data}`)
      }
    }
  })

  it('are one but for a character or two of their names', () => {
    const prefixes = [
      ...TEXT_KINDS.map(({ prefix }) => prefix),
      ...LATER_PREFIXES,
      'hayrecovery',
      'hayinvite',
      'haydevice',
    ]
    for (const prefix of prefixes) {
      for (const other of prefixes) {
        if (prefix !== other) expect(editsBetween(prefix, other)).toBeGreaterThan(2)
      }
    }
  })

  it('say it of a recovery key that it is one, and who takes it', () => {
    const { reason, message } = refusalOf(frozenSlots.accounts[0]?.recoveryKey ?? '')
    expect(reason).toBe('recovery-key')
    expect(message).toContain('hayloft recover')
  })
})

/** How many characters have to be put in, taken out or replaced (Levenshtein). */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, character] of Array.from(a).entries()) {
    const next = [i + 1]
    for (const [j, other] of Array.from(b).entries()) {
      const replaced = (row[j] as number) + (character === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}

const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))

function splice(text: string, index: number, removed: number, inserted: string): string {
  return text.slice(0, index) + inserted + text.slice(index + removed)
}
