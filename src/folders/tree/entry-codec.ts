import { assert } from '../../foundation/error.ts'
import { utf8 } from '../../foundation/bytes.ts'
import { encodeDots, encodeSpan } from '../encoding/dots-codec.ts'
import { Sizer, Writer, type Sink } from '../encoding/writer.ts'
import type { Dots } from '../dots.ts'
import {
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

export function writeEntry(sink: Sink, entry: Entry, form: Form): void {
  if (entry.kind === 'directory') writeDirectory(sink, entry, form)
  else writeVersion(sink, entry, form)
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
  const sizer = new Sizer()
  writeEntry(sizer, entry, 'bare')
  return sizer.length + ALLOWANCE_BYTES
}

/** A link (65) is counted once for all kinds; typical dots take 14. */
export const ALLOWANCE_BYTES = 64

function writeVersion(sink: Sink, version: Version, form: Form): void {
  const { kind, name, device, mtimeMs, extension } = version
  assert(mtimeMs >= MIN_MTIME_MS && mtimeMs <= MAX_MTIME_MS, 'a time has a year of four digits')
  const isLinked = kind === 'linked-folder' || kind === 'linked-file'
  const sealedWriteKey = isLinked ? version.sealedWriteKey : undefined
  const lastSeen = isLinked ? version.lastSeen : undefined
  const isExecutable = (kind === 'file' || kind === 'literal') && version.isExecutable
  sink.map(
    (form === 'full' ? 5 : 4) +
      Number(device !== '') +
      Number(sealedWriteKey !== undefined) +
      Number(kind === 'file') +
      Number(isExecutable) +
      Number(lastSeen !== undefined) +
      Number(extension !== undefined),
  )
  sink.int(FIELD.name)
  sink.text(name)
  sink.int(FIELD.kind)
  sink.int(KINDS.indexOf(kind))
  if (device !== '') {
    sink.int(FIELD.device)
    sink.text(device)
  }
  sink.int(FIELD.content)
  sink.bytes(contentOf(version))
  if (sealedWriteKey !== undefined) {
    assert(sealedWriteKey.length === SEALED_WRITE_KEY_BYTES, 'a sealed key has 72 bytes')
    sink.int(FIELD.sealedWriteKey)
    sink.bytes(sealedWriteKey)
  }
  if (kind === 'file') {
    sink.int(FIELD.size)
    sink.int(version.sizeBytes)
  }
  sink.int(FIELD.mtime)
  sink.int(mtimeMs)
  if (isExecutable) {
    sink.int(FIELD.executable)
    sink.true()
  }
  if (form === 'full') writeDots(sink, version.dots)
  if (lastSeen !== undefined) {
    sink.int(FIELD.lastSeen)
    sink.bytes(encodeDots(lastSeen))
  }
  if (extension !== undefined) {
    assert(extension.length <= MAX_EXTENSION_BYTES, 'an extension has at most 1 KiB')
    sink.int(FIELD.extension)
    sink.bytes(extension)
  }
}

function writeDirectory(
  sink: Sink,
  { name, dots, reference, totals }: DirectoryEntry,
  form: Form,
): void {
  const { newestMs } = totals
  sink.map(7 + (newestMs === undefined ? 0 : 1) + (form === 'full' ? 2 : 0))
  sink.int(FIELD.name)
  sink.text(name)
  sink.int(FIELD.kind)
  sink.int(KINDS.indexOf('directory'))
  sink.int(FIELD.content)
  sink.bytes(checkedKey(reference.key))
  sink.int(FIELD.size)
  sink.int(totals.sizeBytes)
  if (newestMs !== undefined) {
    sink.int(FIELD.mtime)
    sink.int(newestMs)
  }
  if (form === 'full') {
    writeDots(sink, dots)
    sink.int(FIELD.span)
    const span = encodeSpan(totals.dots)
    if (span === undefined) sink.null()
    else sink.bytes(span)
  }
  sink.int(FIELD.files)
  sink.int(totals.files)
  sink.int(FIELD.copies)
  sink.int(totals.copies)
  sink.int(FIELD.height)
  sink.int(totals.height)
}

function writeDots(sink: Sink, dots: Dots): void {
  sink.int(FIELD.dots)
  let encoded = ENCODED_DOTS.get(dots)
  if (encoded === undefined) {
    encoded = encodeDots(dots)
    ENCODED_DOTS.set(dots, encoded)
  }
  sink.bytes(encoded)
}

/** Most entries of a leaf share their dots with others, and nearly all of them are written again by every commit. */
const ENCODED_DOTS = new WeakMap<Dots, Uint8Array>()

/** Field 3. */
function contentOf(version: Version): Uint8Array {
  switch (version.kind) {
    case 'file':
      return checkedKey(version.reference.key)
    case 'literal':
      assert(version.bytes.length <= MAX_LITERAL_BYTES, 'a literal has at most 1 KiB')
      return version.bytes
    case 'symlink': {
      const target = utf8(version.target)
      assert(target.length <= MAX_TARGET_BYTES, 'the target of a link has at most 1 KiB')
      return target
    }
    case 'linked-folder':
    case 'linked-file':
      return checkedKey(version.readKey)
  }
}

function checkedKey(key: Uint8Array): Uint8Array {
  assert(key.length === 32, 'a key has 32 bytes')
  return key
}
