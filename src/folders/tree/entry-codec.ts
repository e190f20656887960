import { assert } from '../../foundation/error.ts'
import { utf8 } from '../../foundation/bytes.ts'
import { encodeDots, encodeSpan } from '../encoding/dots-codec.ts'
import { Writer } from '../encoding/writer.ts'
import {
  isVersion,
  MAX_DEVICE_BYTES,
  MAX_EXTENSION_BYTES,
  MAX_LITERAL_BYTES,
  MAX_MTIME_MS,
  MAX_TARGET_BYTES,
  MIN_MTIME_MS,
  SEALED_WRITE_KEY_BYTES,
  type DirectoryEntry,
  type Entry,
  type Version,
} from '../entry.ts'

/**
 * An entry is a map in deterministic CBOR; which link of its node belongs to it follows from the order of entries, as
 * every file, directory and linked slot has exactly one.
 *
 * A `full` encoding has the dots; a `bare` one leaves them out. What a node of entries that all have one dot stores is
 * bare, and so is what decides whether two entries are the same and how much room they take.
 */
export type Form = 'full' | 'bare'

/** Numbers of fields and kinds in the format. 2 was the index of a link in a draft and says now who wrote. */
export const FIELD = {
  name: 0,
  kind: 1,
  device: 2,
  content: 3,
  sealedWriteKey: 4,
  size: 5,
  mtime: 6,
  executable: 7,
  dots: 8,
  lastSeen: 9,
  extension: 10,
  span: 11,
  files: 12,
  copies: 13,
  height: 14,
} as const

export const KINDS = [
  'file',
  'directory',
  'symlink',
  'linked-folder',
  'linked-file',
  'literal',
] as const satisfies readonly Entry['kind'][]

export function encodeEntry(entry: Entry, form: Form): Uint8Array {
  const writer = new Writer()
  writeEntry(writer, entry, form)
  return writer.finish()
}

export function writeEntry(writer: Writer, entry: Entry, form: Form): void {
  const fields = isVersion(entry) ? fieldsOf(entry) : fieldsOfDirectory(entry, form)
  if (form === 'full') fields.push([FIELD.dots, encodeDots(entry.dots)])
  fields.sort(([a], [b]) => a - b)
  writer.map(fields.length)
  for (const [number, value] of fields) {
    writer.int(number)
    if (typeof value === 'number') writer.int(value)
    else if (typeof value === 'string') writer.text(value)
    else if (value === true) writer.true()
    else if (value === null) writer.null()
    else writer.bytes(value)
  }
}

/** What tells two versions of one name apart, and puts them in order within a node. */
export function bareBytes(entry: Entry): Uint8Array {
  return encodeEntry(entry, 'bare')
}

/**
 * What an entry counts towards the room of its node: its bare bytes and an allowance for link and dots. It must not
 * depend on dots, or moving a directory would change its shape.
 */
export function weightOf(entry: Entry): number {
  let weight = WEIGHTS.get(entry)
  if (weight === undefined) {
    weight = bareBytes(entry).length + ALLOWANCE_BYTES
    WEIGHTS.set(entry, weight)
  }
  return weight
}

/** What a decoder learned on the way spares encoding the entry again. */
export function rememberWeight(entry: Entry, bareLength: number): void {
  WEIGHTS.set(entry, bareLength + ALLOWANCE_BYTES)
}

/** A link (65) is counted once for all kinds; typical dots take 14. */
export const ALLOWANCE_BYTES = 64
const WEIGHTS = new WeakMap<Entry, number>()

type FieldValue = number | string | true | null | Uint8Array

function fieldsOf(version: Version): [number, FieldValue][] {
  const { name, device, mtimeMs, extension } = version
  assert(mtimeMs >= MIN_MTIME_MS && mtimeMs <= MAX_MTIME_MS, 'a time has a year of four digits')
  const fields: [number, FieldValue][] = [
    [FIELD.name, name],
    [FIELD.kind, KINDS.indexOf(version.kind)],
    [FIELD.mtime, mtimeMs],
    ...contentFieldsOf(version),
  ]
  if (device !== '') {
    assert(utf8(device).length <= MAX_DEVICE_BYTES, 'the name of a device is short')
    fields.push([FIELD.device, device])
  }
  if (extension !== undefined) {
    assert(extension.length <= MAX_EXTENSION_BYTES, 'an extension has at most 1 KiB')
    fields.push([FIELD.extension, extension])
  }
  return fields
}

function contentFieldsOf(version: Version): [number, FieldValue][] {
  switch (version.kind) {
    case 'file':
      assert(version.reference.key.length === 32, 'a key has 32 bytes')
      return [
        [FIELD.content, version.reference.key],
        [FIELD.size, version.sizeBytes],
        ...executableField(version.isExecutable),
      ]
    case 'literal':
      assert(version.bytes.length <= MAX_LITERAL_BYTES, 'a literal has at most 1 KiB')
      return [[FIELD.content, version.bytes], ...executableField(version.isExecutable)]
    case 'symlink': {
      const target = utf8(version.target)
      assert(target.length <= MAX_TARGET_BYTES, 'the target of a link has at most 1 KiB')
      return [[FIELD.content, target]]
    }
    case 'linked-folder':
    case 'linked-file': {
      assert(version.readKey.length === 32, 'a key has 32 bytes')
      const fields: [number, FieldValue][] = [[FIELD.content, version.readKey]]
      if (version.sealedWriteKey !== undefined) {
        assert(version.sealedWriteKey.length === SEALED_WRITE_KEY_BYTES, 'it has 72 bytes')
        fields.push([FIELD.sealedWriteKey, version.sealedWriteKey])
      }
      if (version.lastSeen !== undefined) {
        fields.push([FIELD.lastSeen, encodeDots(version.lastSeen)])
      }
      return fields
    }
  }
}

function fieldsOfDirectory(entry: DirectoryEntry, form: Form): [number, FieldValue][] {
  const { name, reference, totals } = entry
  assert(reference.key.length === 32, 'a key has 32 bytes')
  const fields: [number, FieldValue][] = [
    [FIELD.name, name],
    [FIELD.kind, KINDS.indexOf('directory')],
    [FIELD.content, reference.key],
    [FIELD.size, totals.sizeBytes],
    [FIELD.files, totals.files],
    [FIELD.copies, totals.copies],
    [FIELD.height, totals.height],
  ]
  if (totals.newestMs !== undefined) fields.push([FIELD.mtime, totals.newestMs])
  if (form === 'full') fields.push([FIELD.span, encodeSpan(totals.dots) ?? null])
  return fields
}

function executableField(isExecutable: boolean): [number, FieldValue][] {
  return isExecutable ? [[FIELD.executable, true]] : []
}
