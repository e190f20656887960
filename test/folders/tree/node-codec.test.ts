import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFields } from '../../../src/protocol/cbor.ts'
import { blockId } from '../../../src/protocol/block-id.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import { AssertionError } from '../../../src/foundation/error.ts'
import { concatBytes, fromHex, toHex } from '../../../src/foundation/bytes.ts'
import { KIND_DATA, KIND_LEAF, type BlockFrame, type Link } from '../../../src/grid/blocks/frame.ts'
import type { Entry, FileEntry } from '../../../src/folders/entry.ts'
import { BrokenFolderError } from '../../../src/folders/errors.ts'
import { checkName, placeOf } from '../../../src/folders/names.ts'
import { ALLOWANCE_BYTES, encodeEntry, weightOf } from '../../../src/folders/tree/entry-codec.ts'
import {
  compareEntries,
  decodeNode,
  encodeBranch,
  encodeLeaf,
  type BranchChild,
} from '../../../src/folders/tree/node-codec.ts'
import { summarize } from '../../../src/folders/tree/summary.ts'
import { entries } from './arbitraries.ts'

const TOP_OF_ROOT = { prefix: '', dots: undefined }
const broken = expect.objectContaining({ code: 'folder-broken' })

const dot = { tag: '0102030405060708' as TagHex, counter: 9 }
const file: FileEntry = {
  kind: 'file',
  name: checkName('a'),
  dots: new Map([[dot.tag, dot.counter]]),
  mtimeMs: 1000,
  device: 'Anna',
  reference: { key: new Uint8Array(32).fill(1), id: blockId(new Uint8Array(32).fill(2)) },
  verifyKey: new Uint8Array(32).fill(3),
  sizeBytes: 300,
  isExecutable: true,
}

/** A leaf with these bytes as its entries. */
function leafOf(content: Uint8Array, links: readonly Link[] = [linkOf(file)]): BlockFrame {
  return { kind: KIND_LEAF, level: 0, links, content: concatBytes([Uint8Array.of(0), content]) }
}

function linkOf({ reference, verifyKey }: FileEntry): Link {
  return { type: 'block', id: reference.id, verifyKey }
}

/** The fields of `file`, some changed or left out. */
function changed(changes: Record<number, unknown>): Uint8Array {
  const fields = new Map<number, unknown>([
    [0, 'a'],
    [1, 0],
    [2, 'Anna'],
    [3, file.reference.key],
    [5, 300],
    [6, 1000],
    [7, true],
    [8, fromHex('010203040506070800000009')],
  ])
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) fields.delete(Number(key))
    else fields.set(Number(key), value)
  }
  return encodeFields(fields)
}

describe('a leaf', () => {
  it('gives back its entries', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(entries, { selector: ({ name }) => name, maxLength: 8 }),
        (all) => {
          const sorted = all.toSorted(compareEntries)
          const node = decodeNode(encodeLeaf(sorted, '', 'full'), TOP_OF_ROOT)
          expect(node).toEqual({ kind: 'loose', entries: sorted, summary: summarize(sorted) })
        },
      ),
    )
  })

  it('leaves out the dots where its parent has told the only one', () => {
    const frame = encodeLeaf([file], '', 'bare')
    const node = decodeNode(frame, { prefix: '', dots: { kind: 'one', dot } })
    expect(node).toMatchObject({ entries: [file] })
    // The form follows from what the parent says; nobody may choose it.
    expect(() => decodeNode(frame, TOP_OF_ROOT)).toThrow(broken)
    const full = encodeLeaf([file], '', 'full')
    expect(() => decodeNode(full, { prefix: '', dots: { kind: 'one', dot } })).toThrow(broken)
  })

  it('is as another implementation of deterministic CBOR writes it', () => {
    expect(encodeEntry(file, 'full')).toEqual(changed({}))
    expect(encodeEntry(file, 'bare')).toEqual(changed({ 8: undefined }))
  })

  it('has frozen bytes', () => {
    expect(toHex(encodeLeaf([file], '', 'full').content)).toBe(
      `00a800616101000264416e6e61035820${'01'.repeat(32)}0519012c061903e807f5084c010203040506070800000009`,
    )
  })

  it('weighs the same whatever its dots are', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        // A copy, as an entry remembers its weight.
        expect(weightOf({ ...entry })).toBe(encodeEntry(entry, 'bare').length + ALLOWANCE_BYTES)
        const dots = new Map([[dot.tag, 1]])
        expect(weightOf({ ...entry, dots })).toBe(weightOf(entry))
      }),
    )
  })

  it.each<[string, Record<number, unknown>]>([
    ['a name with a slash', { 0: 'a/b' }],
    ['a name with a zero character', { 0: 'a\0' }],
    ['the name .', { 0: '.' }],
    ['the name ..', { 0: '..' }],
    ['a name of 256 bytes', { 0: 'x'.repeat(256) }],
    ['a decomposed name', { 0: 'a\u0308' }],
    ['no name', { 0: undefined }],
    ['a name of bytes', { 0: Uint8Array.of(97) }],
    ['an unknown kind', { 1: 6 }],
    ['an empty device', { 2: '' }],
    ['a long device', { 2: 'x'.repeat(33) }],
    ['a device with a slash', { 2: 'a/b' }],
    ['a short key', { 3: new Uint8Array(31) }],
    ['content that is too long', { 3: new Uint8Array(1025) }],
    ['a write key in a file', { 4: new Uint8Array(72) }],
    ['a negative size', { 5: -1 }],
    ['no size', { 5: undefined }],
    ['a time after the year 9999', { 6: 253_402_300_800_000 }],
    ['a flag that is not set', { 7: false }],
    ['no dots', { 8: undefined }],
    ['empty dots', { 8: new Uint8Array(0) }],
    ['dots cut short', { 8: new Uint8Array(11).fill(1) }],
    ['a dot of zero', { 8: fromHex('010203040506070800000000') }],
    ['unsorted dots', { 8: fromHex('020000000000000000000001010000000000000000000001') }],
    ['a clock in a file', { 9: new Uint8Array(0) }],
    ['an extension that is no map', { 10: Uint8Array.of(1) }],
    ['an empty extension', { 10: encodeFields(new Map()) }],
    ['a span in a file', { 11: new Uint8Array(0) }],
    ['a count in a file', { 12: 1 }],
    ['an unknown field', { 15: 1 }],
  ])('refuses %s', (_, changes) => {
    expect(() => decodeNode(leafOf(changed(changes)), TOP_OF_ROOT)).toThrow(broken)
  })

  it('refuses other encodings of the same', () => {
    const hex = toHex(changed({}))
    const others = [
      // Longer forms of the map's and of the name's length, and of the kind.
      hex.replace(/^a8/, 'b808'),
      hex.replace('6161', '780161'),
      hex.replace('010002', '01180002'),
      // An indefinite map; fields out of order; one twice.
      `${hex.replace(/^a8/, 'bf')}ff`,
      hex.replace('0061610100', '0100006161'),
      hex.replace(/^a8006161/, 'a9006161006161'),
      // Not UTF-8.
      hex.replace('006161', '0061ff'),
    ]
    for (const other of others) {
      expect(other).not.toBe(hex)
      const frame = leafOf(fromHex(other)!)
      expect(() => decodeNode(frame, TOP_OF_ROOT)).toThrow(broken)
    }
  })

  it('refuses what is cut or changed anywhere, or reads something else', () => {
    const { content } = encodeLeaf([file, { ...file, name: checkName('b') }], '', 'full')
    const links = [linkOf(file), linkOf(file)]
    const original = JSON.stringify(decodeNode({ ...leafOf(content), content, links }, TOP_OF_ROOT))
    for (let at = 0; at < content.length; at++) {
      const cut = { ...leafOf(content), content: content.subarray(0, at), links }
      expect(() => decodeNode(cut, TOP_OF_ROOT)).toThrow(broken)
      for (const flip of [1, 0x80, 0xff]) {
        const bytes = content.slice()
        bytes[at]! ^= flip
        try {
          const node = decodeNode({ ...leafOf(content), content: bytes, links }, TOP_OF_ROOT)
          expect(JSON.stringify(node)).not.toBe(original)
        } catch (error) {
          expect(error).toBeInstanceOf(BrokenFolderError)
        }
      }
    }
  })

  it('never answers bytes with anything but entries or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat({ max: 70 }), (content, level) => {
        for (const kind of [2, 3]) {
          try {
            decodeNode(
              { kind, level, links: [], content },
              { prefix: '0'.repeat(level), dots: undefined },
            )
          } catch (error) {
            expect(error).not.toBeInstanceOf(AssertionError)
            expect(error).toBeInstanceOf(BrokenFolderError)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('refuses entries out of order, in the wrong place, or more than it should hold', () => {
    const other = { ...file, name: checkName('b') }
    const refuse = (all: Entry[], prefix = ''): void => {
      const frame = encodeLeaf(all, prefix, 'full')
      expect(() => decodeNode(frame, { prefix, dots: { kind: 'scattered' } })).toThrow(broken)
    }
    refuse([other, file])
    refuse([file, file])
    refuse([file, { ...file, dots: new Map([[dot.tag, 10]]) }])
    const bit = placeOf(file.name)[0]! >> 7
    expect(
      decodeNode(encodeLeaf([file], String(bit), 'full'), {
        prefix: String(bit),
        dots: { kind: 'scattered' },
      }),
    ).toMatchObject({ entries: [file] })
    refuse([file], String(1 - bit))
    refuse([], '0')
    const many = Array.from({ length: 500 }, (_, at) => ({ ...file, name: checkName(`${at}`) }))
    refuse(many.sort(compareEntries))
  })

  it('has exactly the links of its entries', () => {
    const frame = encodeLeaf([file], '', 'full')
    const [link] = frame.links as [Link]
    expect(() => decodeNode({ ...frame, links: [] }, TOP_OF_ROOT)).toThrow(broken)
    expect(() => decodeNode({ ...frame, links: [link, link] }, TOP_OF_ROOT)).toThrow(broken)
    const slot = { type: 'slot', slot: file.reference.id, verifyKey: file.verifyKey } as never
    expect(() => decodeNode({ ...frame, links: [slot] }, TOP_OF_ROOT)).toThrow(broken)
    expect(() => decodeNode({ ...frame, kind: KIND_DATA }, TOP_OF_ROOT)).toThrow(broken)
    expect(() => decodeNode({ ...frame, level: 1 }, TOP_OF_ROOT)).toThrow(broken)
  })
})

describe('a branch', () => {
  const summary = {
    ...summarize([file]),
    weight: 40_000,
    names: 300,
    dots: { kind: 'scattered' as const },
  }
  const child = (first: number, width: number, changes = {}): BranchChild => ({
    first,
    width,
    part: {
      kind: 'stored',
      reference: file.reference,
      verifyKey: file.verifyKey,
      summary: { ...summary, ...changes },
    },
  })
  const decode = (children: BranchChild[], prefix = ''): unknown =>
    decodeNode(encodeBranch(children, prefix, 'full'), { prefix, dots: undefined })

  it('adds up what is below it', () => {
    const node = decode([child(0, 8), child(8, 4), child(12, 4)])
    expect(node).toMatchObject({
      kind: 'inner',
      summary: { weight: 120_000, names: 900, files: 3, sizeBytes: 900 },
    })
  })

  it.each<[string, BranchChild[]]>([
    ['no child', []],
    ['a single one for all', [child(0, 8, { weight: 50_000 })]],
    [
      'children that fit one leaf',
      [child(0, 8), child(8, 4, { weight: 4_000 }), child(12, 4, { weight: 4_000 })],
    ],
    ['children out of order', [child(8, 8), child(0, 8)]],
    ['children that overlap', [child(0, 8), child(4, 4), child(8, 8)]],
    ['a child that begins between digits of its width', [child(1, 2), child(8, 8)]],
    ['a child without names', [child(0, 8), child(8, 8, { names: 0 })]],
    ['a child without dots', [child(0, 8), child(8, 8, { dots: { kind: 'empty' } })]],
    ['sums beyond 2^53', [child(0, 8), child(8, 8, { sizeBytes: Number.MAX_SAFE_INTEGER })]],
  ])('refuses %s', (_, children) => {
    expect(() => decode(children)).toThrow(broken)
  })

  it('stands only where four bits are decided at once', () => {
    expect(decode([child(0, 8), child(8, 8)], '0101')).toMatchObject({ kind: 'inner' })
    expect(() => decode([child(0, 8), child(8, 8)], '01')).toThrow(broken)
  })
})
