import { equalBytes, utf8 } from '../../foundation/bytes.ts'
import type { BlockLink, Link, SlotLink } from '../../grid/blocks/frame.ts'
import { EMPTY_SPAN, type Dots, type DotSpan } from '../dots.ts'
import { MAX_TARGET_BYTES, type Entry } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import type { Name } from '../names.ts'
import { FIELD, type Form } from './entry-codec.ts'
import type { RawEntry } from './entry-fields.ts'

/** What an entry takes from its node. */
export interface EntrySurroundings {
  readonly form: Form
  /** The next link that no earlier entry has taken. */
  readonly takeLink: () => Link
  /** The dots of every entry in a bare node, and the span below its directories. */
  readonly stamp: { readonly dots: Dots; readonly span: DotSpan } | undefined
}

/** Puts an entry together. @throws BrokenFolderError unless its fields are what its kind needs, and no others */
export function entryOf(raw: RawEntry, surroundings: EntrySurroundings): Entry {
  const kind = needed(raw.kind, 'kind')
  const allowed = ALLOWED[kind] | (surroundings.form === 'full' ? IN_FULL[kind] : 0)
  if ((raw.present & ~allowed) !== 0) {
    throw new BrokenFolderError('an entry has a field that it must not')
  }
  const name = needed(raw.name, 'name')
  return kind === 'directory'
    ? directoryOf(raw, surroundings, name)
    : versionOf(raw, surroundings, { kind, name })
}

const bits = (...fields: readonly (keyof typeof FIELD)[]): number =>
  fields.reduce((sum, field) => sum | (1 << FIELD[field]), 0)

const OF_ALL = bits('name', 'kind', 'content', 'mtime')
const OF_VERSIONS = OF_ALL | bits('device', 'extension')
const OF_LINKS = OF_VERSIONS | bits('sealedWriteKey', 'lastSeen')
/** Which fields an entry may have, by its kind, but for those that only a full encoding has. */
const ALLOWED: Readonly<Record<Entry['kind'], number>> = {
  file: OF_VERSIONS | bits('size', 'executable'),
  literal: OF_VERSIONS | bits('executable'),
  symlink: OF_VERSIONS,
  'linked-folder': OF_LINKS,
  'linked-file': OF_LINKS,
  directory: OF_ALL | bits('size', 'files', 'copies', 'height'),
}
const DOTS_OF_VERSIONS = bits('dots')
const IN_FULL: Readonly<Record<Entry['kind'], number>> = {
  file: DOTS_OF_VERSIONS,
  literal: DOTS_OF_VERSIONS,
  symlink: DOTS_OF_VERSIONS,
  'linked-folder': DOTS_OF_VERSIONS,
  'linked-file': DOTS_OF_VERSIONS,
  directory: bits('dots', 'span'),
}

function needed<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new BrokenFolderError(`an entry has no ${field}`)
  return value
}

function versionOf(
  raw: RawEntry,
  surroundings: EntrySurroundings,
  { kind, name }: { kind: Exclude<Entry['kind'], 'directory'>; name: Name },
): Entry {
  const dots = dotsOf(raw, surroundings)
  if (dots.size === 0) throw new BrokenFolderError('an entry has no dot')
  const mtimeMs = needed(raw.mtime, 'mtime')
  const { device = '', extension } = raw
  switch (kind) {
    case 'file': {
      const { id, verifyKey } = blockLinkOf(surroundings)
      const reference = { key: keyOf(raw), id }
      const sizeBytes = needed(raw.size, 'size')
      const isExecutable = raw.executable ?? false
      return {
        kind,
        name,
        dots,
        mtimeMs,
        device,
        extension,
        reference,
        verifyKey,
        sizeBytes,
        isExecutable,
      }
    }
    case 'literal': {
      const isExecutable = raw.executable ?? false
      const bytes = needed(raw.content, 'content')
      return { kind, name, dots, mtimeMs, device, extension, bytes, isExecutable }
    }
    case 'symlink': {
      const target = targetOf(needed(raw.content, 'content'))
      return { kind, name, dots, mtimeMs, device, extension, target }
    }
    case 'linked-folder':
    case 'linked-file': {
      const { slot, verifyKey } = slotLinkOf(surroundings)
      const readKey = keyOf(raw)
      const { sealedWriteKey, lastSeen } = raw
      const content = { slot, readKey, verifyKey, sealedWriteKey, lastSeen }
      return { kind, name, dots, mtimeMs, device, extension, ...content }
    }
  }
}

function directoryOf(raw: RawEntry, surroundings: EntrySurroundings, name: Name): Entry {
  const dots = dotsOf(raw, surroundings)
  const { id, verifyKey } = blockLinkOf(surroundings)
  const key = keyOf(raw)
  const files = needed(raw.files, 'files')
  const height = needed(raw.height, 'height')
  const totals = {
    files,
    copies: needed(raw.copies, 'copies'),
    sizeBytes: needed(raw.size, 'size'),
    newestMs: raw.mtime,
    height,
    dots: spanOf(raw, surroundings, { isEmpty: files === 0 && height === 0 }),
  }
  if (dots.size === 0 && totals.dots.kind === 'empty') {
    throw new BrokenFolderError('a directory that nobody made has nothing in it')
  }
  return { kind: 'directory', name, dots, reference: { key, id }, verifyKey, totals }
}

function keyOf({ content }: RawEntry): Uint8Array {
  const key = needed(content, 'content')
  if (key.length !== 32) throw new BrokenFolderError('a key has not 32 bytes')
  return key
}

function dotsOf({ dots }: RawEntry, { form, stamp }: EntrySurroundings): Dots {
  if (form === 'full') return needed(dots, 'dots')
  if (stamp === undefined) throw new BrokenFolderError('an entry has no dot')
  return stamp.dots
}

/** @param below.isEmpty whether there is no entry below that could have a dot */
function spanOf(
  raw: RawEntry,
  { form, stamp }: EntrySurroundings,
  below: { readonly isEmpty: boolean },
): DotSpan {
  if (form === 'full') {
    const span = needed(raw.span, 'span')
    if ((span.kind === 'empty') !== below.isEmpty) {
      throw new BrokenFolderError('dots do not add up')
    }
    return span
  }
  if (below.isEmpty) return EMPTY_SPAN
  if (stamp === undefined) throw new BrokenFolderError('an entry has no dot')
  return stamp.span
}

function blockLinkOf({ takeLink }: EntrySurroundings): BlockLink {
  const link = takeLink()
  if (link.type !== 'block') throw new BrokenFolderError('an entry has a link of another kind')
  return link
}

function slotLinkOf({ takeLink }: EntrySurroundings): SlotLink {
  const link = takeLink()
  if (link.type !== 'slot') throw new BrokenFolderError('an entry has a link of another kind')
  return link
}

function targetOf(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  if (bytes.length === 0 || bytes.length > MAX_TARGET_BYTES || !equalBytes(utf8(text), bytes)) {
    throw new BrokenFolderError('a symbolic link leads to what is no path')
  }
  return text
}
