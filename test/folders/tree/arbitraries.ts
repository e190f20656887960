import * as fc from 'fast-check'
import { encodeFields } from '../../../src/protocol/cbor.ts'
import { blockId } from '../../../src/protocol/block-id.ts'
import { slotKey } from '../../../src/protocol/slot-key.ts'
import type { TagHex } from '../../../src/protocol/version-vector.ts'
import { checkDevice } from '../../../src/folders/devices.ts'
import type { DotSpan } from '../../../src/folders/dots.ts'
import { MAX_MTIME_MS, MIN_MTIME_MS, type Entry } from '../../../src/folders/entry.ts'
import { checkName } from '../../../src/folders/names.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const tags = fc
  .constantFrom('0000000000000001', '00000000000000ff', 'ffffffffffffffff')
  .map((tag) => tag as TagHex)
const counters = fc.integer({ min: 1, max: 2 ** 32 - 1 })
const dots = fc
  .array(fc.tuple(tags, counters), { minLength: 1, maxLength: 3 })
  .map((pairs) => new Map(pairs))
export const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .map((text) => text.replaceAll('/', '_').replaceAll('\0', '_').normalize('NFC'))
  .filter((text) => text !== '.' && text !== '..')
  .map(checkName)
const references = fc.record({ key: bytes32, id: bytes32.map(blockId) })
const common = {
  name: names,
  dots,
  mtimeMs: fc.integer({ min: MIN_MTIME_MS, max: MAX_MTIME_MS }),
  device: fc.constantFrom('', 'Anna', 'Bobs Rechner 水').map(checkDevice),
}
const extension = fc.option(
  fc.constantFrom(encodeFields(new Map([[1, 'x']])), encodeFields(new Map([[7, [1, 2]]]))),
  { nil: undefined },
)
const spans: fc.Arbitrary<DotSpan> = fc.oneof(
  fc.record({
    kind: fc.constant('one' as const),
    dot: fc.record({ tag: tags, counter: counters }),
  }),
  fc.constant({ kind: 'scattered' as const }),
  fc
    .array(fc.tuple(tags, fc.record({ least: fc.constant(1), greatest: counters })), {
      minLength: 1,
    })
    .map((pairs) => ({ kind: 'ranges' as const, ranges: new Map(pairs) })),
)
const sizes = fc.integer({ min: 0, max: 2 ** 40 })

/** Entries of every kind, as a full node has them. */
export const entries: fc.Arbitrary<Entry> = fc.oneof<fc.Arbitrary<Entry>[]>(
  fc.record({
    kind: fc.constant('file' as const),
    ...common,
    extension,
    reference: references,
    verifyKey: bytes32,
    sizeBytes: sizes,
    isExecutable: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('literal' as const),
    ...common,
    bytes: fc.uint8Array({ maxLength: 1024 }),
    isExecutable: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('symlink' as const), ...common, target: names }),
  fc.record({
    kind: fc.constantFrom('linked-folder' as const, 'linked-file' as const),
    ...common,
    slot: bytes32.map(slotKey),
    readKey: bytes32,
    verifyKey: bytes32,
    sealedWriteKey: fc.option(fc.uint8Array({ minLength: 72, maxLength: 72 }), {
      nil: undefined,
    }),
    lastSeen: fc.option(dots, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('directory' as const),
    name: names,
    dots: fc.oneof(dots, fc.constant(new Map())),
    reference: references,
    verifyKey: bytes32,
    totals: fc.record({
      files: fc.integer({ min: 1, max: 2 ** 40 }),
      copies: sizes,
      sizeBytes: sizes,
      newestMs: fc.option(common.mtimeMs, { nil: undefined }),
      height: fc.integer({ min: 0, max: 254 }),
      dots: spans,
    }),
  }),
)
