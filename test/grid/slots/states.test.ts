import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slotReadKeys } from '../../../src/capabilities/slot-keys.ts'
import { sealBox } from '../../../src/crypto/aead.ts'
import { verifyKeyOf } from '../../../src/crypto/block-keys.ts'
import { concatBytes } from '../../../src/foundation/bytes.ts'
import type { BlockReference } from '../../../src/grid/files/index-node.ts'
import {
  BrokenSlotRecordError,
  encodeSlotLinks,
  encodeSlotPayload,
  fitsRecord,
  type SlotContents,
} from '../../../src/grid/slots/contents.ts'
import { openRecord, openRecordLinks, sealRecord } from '../../../src/grid/slots/seal.ts'
import { blockId } from '../../../src/protocol/block-id.ts'
import { encodeFields } from '../../../src/protocol/cbor.ts'
import { paddedBytes } from '../../../src/protocol/padding.ts'
import { decodeSlotRecord, encodeSlotHead } from '../../../src/protocol/slot-record.ts'
import { tagHex } from '../../../src/protocol/version-vector.ts'
import { someBytes } from '../../support/grid.ts'
import { testSlot } from '../../support/devices.ts'

const keys = testSlot()
const readKey = keys.readKey
const clock = new Map([[tagHex(someBytes(8)), 7]])

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((b) => b.some((x) => x > 0))
const reference: fc.Arbitrary<BlockReference> = fc.record({
  key: bytes32,
  id: bytes32.map(blockId),
})
const size = fc.maxSafeNat()
const device = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((s) => Buffer.byteLength(s) <= 64)
const inlineBytes = fc.uint8Array({ maxLength: 1_024 })
const inlineContents: fc.Arbitrary<SlotContents> = fc
  .record(
    {
      inline: inlineBytes,
      parents: fc.array(reference, { maxLength: 3 }),
      modifiedMs: size,
      device,
      carried: fc.array(
        fc.record(
          { inline: inlineBytes, modifiedMs: size, device },
          { requiredKeys: ['inline', 'modifiedMs'] },
        ),
        { minLength: 1, maxLength: 8 },
      ),
    },
    { requiredKeys: ['inline', 'parents'] },
  )
  .map((state): SlotContents =>
    Object.assign({ kind: 'file' as const, sizeBytes: state.inline.length }, state),
  )
  .filter(fitsRecord)
const stateInBlocks: fc.Arbitrary<SlotContents> = fc.record(
  {
    kind: fc.constantFrom('file', 'folder', 'link', 'roster', 'deleted'),
    root: reference,
    parents: fc.array(reference, { maxLength: 3 }),
    sizeBytes: size,
    modifiedMs: size,
    device,
    capability: fc.uint8Array({ maxLength: 128 }),
  },
  { requiredKeys: ['kind', 'parents'] },
)

const contents = fc.oneof(stateInBlocks, inlineContents)

/** A record with these plaintexts in its boxes, signed as it should be. */
function forged(links: Uint8Array, payload: Uint8Array): ReturnType<typeof decodeSlotRecord> {
  const boxKeys = slotReadKeys(readKey)
  const nonce = someBytes(24)
  const head = encodeSlotHead({ slot: keys.slot, expiresS: 0, clock, nonce })
  const box = { nonce, associatedData: head }
  const message = concatBytes([
    head,
    sealBox({ key: boxKeys.linksBoxKey, ...box }, links),
    sealBox({ key: boxKeys.payloadBoxKey, ...box }, payload),
  ])
  return decodeSlotRecord(concatBytes([message, keys.sign(message)]))
}

function sealed(state: SlotContents): ReturnType<typeof decodeSlotRecord> {
  const randomness = { bytes: (length: number) => someBytes(length, 3) }
  return decodeSlotRecord(sealRecord(keys, { contents: state, clock, expiresS: 0 }, randomness))
}

const full: SlotContents = {
  kind: 'file',
  root: { key: someBytes(32, 1), id: blockId(someBytes(32, 2)) },
  parents: [
    { key: someBytes(32, 3), id: blockId(someBytes(32, 4)) },
    { key: someBytes(32, 5), id: blockId(someBytes(32, 6)) },
  ],
  sizeBytes: 1_000,
  modifiedMs: 1_767_225_600_000,
  device: 'Ada’s laptop',
}

describe('a state in a record', () => {
  it('is opened as it was sealed, and its links with the verify key alone', () => {
    fc.assert(
      fc.property(contents, (state) => {
        const record = sealed(state)
        expect(openRecord(readKey, record).contents).toEqual(state)
        const links = openRecordLinks(keys.verifyKey, record)
        expect(links.root).toEqual(
          state.root && {
            type: 'block',
            id: state.root.id,
            verifyKey: verifyKeyOf(state.root.key),
          },
        )
        expect(links.parents.map((link) => 'id' in link && link.id)).toEqual(
          state.parents.map(({ id }) => id),
        )
      }),
      { numRuns: 60 },
    )
  })

  it('is closed to other keys, the verify key of the slot included', () => {
    const record = sealed(full)
    const other = testSlot('another')
    expect(() => openRecord(other.readKey, record)).toThrow(BrokenSlotRecordError)
    expect(() => openRecord(keys.verifyKey as never, record)).toThrow(BrokenSlotRecordError)
    expect(() => openRecordLinks(other.verifyKey, record)).toThrow(BrokenSlotRecordError)
  })

  const links = encodeSlotLinks(full)
  const payload = encodeSlotPayload(full)
  const fieldsWith = (...changes: [number, unknown][]): Uint8Array => {
    const fields = new Map<number, unknown>([
      [0, 0],
      [1, full.root?.key],
      [5, full.parents.map(({ key }) => key)],
      ...changes,
    ])
    for (const [key, value] of fields) if (value === undefined) fields.delete(key)
    return padded(encodeFields(fields))
  }
  const padded = (cbor: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(paddedBytes(2 + cbor.length))
    bytes.set([cbor.length >> 8, cbor.length & 255])
    bytes.set(cbor, 2)
    return bytes
  }
  const key32 = someBytes(32)
  const inlineWith = (...changes: [number, unknown][]): [Uint8Array, Uint8Array] => {
    const own: [number, unknown][] = [
      [0, 0],
      [1, undefined],
      [2, 3],
      [5, undefined],
      [7, someBytes(3)],
      [8, [[someBytes(4), 5, 'x']]],
    ]
    return [new Uint8Array(260), fieldsWith(...own, ...changes)]
  }
  const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = bytes.slice()
    copy[at] = value
    return copy
  }

  it('is accepted by the tools of the forger below when nothing is forged', () => {
    expect(openRecord(readKey, forged(links, payload)).contents).toEqual(full)
    expect(openRecord(readKey, forged(links, fieldsWith())).contents.kind).toBe('file')
    const { inline, carried } = openRecord(readKey, forged(...inlineWith())).contents
    expect(inline).toEqual(someBytes(3))
    expect(carried).toEqual([{ inline: someBytes(4), modifiedMs: 5, device: 'x' }])
  })

  const forgeries: Record<string, () => [Uint8Array, Uint8Array]> = {
    'a root that is history': () => [changed(links, 0, 2), payload],
    'a root that is a slot': () => [changed(links, 0, 1), payload],
    'a link of an unknown type': () => [changed(links, 65, 3), payload],
    'a parent that is no history': () => [changed(links, 65, 0), payload],
    'a gap among the parents': () => {
      const gap = links.slice()
      gap.copyWithin(65 * 3, 65 * 2, 65 * 3)
      gap.fill(0, 65 * 2, 65 * 3)
      return [gap, payload]
    },
    'a link to other links than its key is for': () => [changed(links, 40, 99), payload],
    'a root without a key': () => [links, fieldsWith([1, undefined])],
    'a key without a root': () => [links.slice().fill(0, 0, 65), payload],
    'a parent without a key': () => [links, fieldsWith([5, [full.parents[0]?.key]])],
    'no list of parents': () => [links, fieldsWith([5, undefined])],
    'an empty list of parents': () => [links.slice().fill(0, 65), fieldsWith([5, []])],
    'a short key': () => [links, fieldsWith([1, someBytes(31)])],
    'an unknown kind': () => [links, fieldsWith([0, 5])],
    'an unknown field': () => [links, fieldsWith([9, 1])],
    'a negative field': () => [links, fieldsWith([-1, 1])],
    'a negative size': () => [links, fieldsWith([2, -1])],
    'a size that is no whole number': () => [links, fieldsWith([2, 1.5])],
    'a device of bytes': () => [links, fieldsWith([4, someBytes(3)])],
    'a device with a long name': () => [links, fieldsWith([4, 'x'.repeat(65)])],
    'a long capability': () => [links, fieldsWith([6, someBytes(129)])],
    'something in the padding': () => [links, changed(payload, 511, 1)],
    'a length beyond the end': () => [links, changed(payload, 0, 255)],
    'a length too short': () => [links, changed(payload, 1, 3)],
    'CBOR that is not deterministic': () => [links, padded(Uint8Array.of(0xa1, 0x18, 0, 0))],
    'no CBOR': () => [links, new Uint8Array(512)],
    'more padding than there should be': () => {
      const longer = new Uint8Array(1_024)
      longer.set(payload)
      return [links, longer]
    },
    'a root beside its content': () => [links, fieldsWith([2, 3], [7, someBytes(3)])],
    'content of no file': () => inlineWith([0, 1]),
    'content of another size': () => inlineWith([2, 4]),
    'content without a size': () => inlineWith([2, undefined]),
    'content that is too long': () => inlineWith([2, 1_025], [7, someBytes(1_025)]),
    'content that is text': () => inlineWith([7, 'abc']),
    'an earlier content without its own': () => inlineWith([7, undefined]),
    'no earlier content in a list': () => inlineWith([8, []]),
    'an earlier content that is none': () => inlineWith([8, [someBytes(3)]]),
    'an earlier content without a time': () => inlineWith([8, [[someBytes(3)]]]),
    'an earlier content with too much': () => inlineWith([8, [[someBytes(3), 1, 'x', 1]]]),
    'an earlier content that is too long': () => inlineWith([8, [[someBytes(1_025), 1]]]),
    'an earlier content of a negative time': () => inlineWith([8, [[someBytes(3), -1]]]),
    'an earlier content of a device of bytes': () => inlineWith([8, [[someBytes(3), 1, key32]]]),
    'an earlier content of a device with a long name': () =>
      inlineWith([8, [[someBytes(3), 1, 'x'.repeat(65)]]]),
    'too many earlier contents': () =>
      inlineWith([8, Array.from({ length: 65 }, () => [new Uint8Array(0), 1])]),
  }

  it.each(Object.entries(forgeries))('is refused with %s', (_, forge) => {
    expect(() => openRecord(readKey, forged(...forge()))).toThrow(BrokenSlotRecordError)
  })
})
