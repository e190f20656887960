import { equalBytes, utf8 } from '../../foundation/bytes.ts'
import type { BlockLink, Link, SlotLink } from '../../grid/blocks/frame.ts'
import { EMPTY_SPAN, type Dots, type DotSpan } from '../dots.ts'
import type { Reader } from '../encoding/reader.ts'
import { MAX_TARGET_BYTES, type Entry } from '../entry.ts'
import { BrokenFolderError } from '../errors.ts'
import type { Name } from '../names.ts'
import type { Form } from './entry-codec.ts'
import { readFields, type Known, type RawEntry } from './entry-fields.ts'

/** What an entry takes from its node. */
export interface EntrySurroundings {
  readonly form: Form
  /** The next link that no earlier entry has taken. */
  readonly takeLink: () => Link
  /** The dots of every entry in a bare node, and the span below its directories. */
  readonly stamp: { readonly dots: Dots; readonly span: DotSpan } | undefined
  readonly known: Known
}

/** Reads one entry. @throws BrokenFolderError unless it is one, in its only encoding, with what its kind needs */
export function readEntry(reader: Reader, surroundings: EntrySurroundings): Entry {
  return entryOf(new Fields(readFields(reader, surroundings.known), surroundings))
}

/** The fields of one entry; what is taken is checked to be there, and in the end that nothing is left. */
class Fields {
  readonly #raw: RawEntry
  readonly #surroundings: EntrySurroundings
  #taken = 0

  constructor(raw: RawEntry, surroundings: EntrySurroundings) {
    this.#raw = raw
    this.#surroundings = surroundings
  }

  /** Each field is asked for once at most. */
  take<K extends keyof RawEntry>(key: K): NonNullable<RawEntry[K]> {
    const value = this.takeIfPresent(key)
    if (value === undefined) throw new BrokenFolderError(`an entry has no ${key}`)
    return value
  }

  takeIfPresent<K extends keyof RawEntry>(key: K): NonNullable<RawEntry[K]> | undefined {
    const value = this.#raw[key]
    if (value !== undefined) this.#taken += 1
    return value ?? undefined
  }

  takeKey(): Uint8Array {
    const key = this.take('content')
    if (key.length !== 32) throw new BrokenFolderError('a key has not 32 bytes')
    return key
  }

  takeDots(): Dots {
    const { form, stamp } = this.#surroundings
    if (form === 'full') return this.take('dots')
    if (stamp === undefined) throw new BrokenFolderError('an entry has no dot')
    return stamp.dots
  }

  /** @param isEmpty whether there is no entry below that could have a dot */
  takeSpan(isEmpty: boolean): DotSpan {
    const { form, stamp } = this.#surroundings
    if (form === 'full') {
      const span = this.take('span')
      if ((span.kind === 'empty') !== isEmpty) throw new BrokenFolderError('dots do not add up')
      return span
    }
    if (isEmpty) return EMPTY_SPAN
    if (stamp === undefined) throw new BrokenFolderError('an entry has no dot')
    return stamp.span
  }

  takeBlockLink(): BlockLink {
    const link = this.#surroundings.takeLink()
    if (link.type !== 'block') throw new BrokenFolderError('an entry has a link of another kind')
    return link
  }

  takeSlotLink(): SlotLink {
    const link = this.#surroundings.takeLink()
    if (link.type !== 'slot') throw new BrokenFolderError('an entry has a link of another kind')
    return link
  }

  assertNoneLeft(): void {
    if (this.#taken !== this.#raw.count) {
      throw new BrokenFolderError('an entry has a field that it must not')
    }
  }
}

function entryOf(fields: Fields): Entry {
  const name = fields.take('name')
  const kind = fields.take('kind')
  const entry = kind === 'directory' ? directoryOf(fields, name) : versionOf(fields, kind, name)
  fields.assertNoneLeft()
  return entry
}

function versionOf(fields: Fields, kind: Exclude<Entry['kind'], 'directory'>, name: Name): Entry {
  const dots = fields.takeDots()
  if (dots.size === 0) throw new BrokenFolderError('an entry has no dot')
  const mtimeMs = fields.take('mtime')
  const device = fields.takeIfPresent('device') ?? ''
  const extension = fields.takeIfPresent('extension')
  switch (kind) {
    case 'file': {
      const { id, verifyKey } = fields.takeBlockLink()
      const reference = { key: fields.takeKey(), id }
      const sizeBytes = fields.take('size')
      const isExecutable = fields.takeIfPresent('executable') ?? false
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
      const isExecutable = fields.takeIfPresent('executable') ?? false
      const bytes = fields.take('content')
      return { kind, name, dots, mtimeMs, device, extension, bytes, isExecutable }
    }
    case 'symlink': {
      const target = targetOf(fields.take('content'))
      return { kind, name, dots, mtimeMs, device, extension, target }
    }
    case 'linked-folder':
    case 'linked-file': {
      const { slot, verifyKey } = fields.takeSlotLink()
      const readKey = fields.takeKey()
      const sealedWriteKey = fields.takeIfPresent('sealedWriteKey')
      const lastSeen = fields.takeIfPresent('lastSeen')
      const content = { slot, readKey, verifyKey, sealedWriteKey, lastSeen }
      return { kind, name, dots, mtimeMs, device, extension, ...content }
    }
  }
}

function directoryOf(fields: Fields, name: Name): Entry {
  const dots = fields.takeDots()
  const { id, verifyKey } = fields.takeBlockLink()
  const key = fields.takeKey()
  const files = fields.take('files')
  const height = fields.take('height')
  const totals = {
    files,
    copies: fields.take('copies'),
    sizeBytes: fields.take('size'),
    newestMs: fields.takeIfPresent('mtime'),
    height,
    dots: fields.takeSpan(files === 0 && height === 0),
  }
  if (dots.size === 0 && totals.dots.kind === 'empty') {
    throw new BrokenFolderError('a directory that nobody made has nothing in it')
  }
  return { kind: 'directory', name, dots, reference: { key, id }, verifyKey, totals }
}

function targetOf(bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  if (bytes.length === 0 || bytes.length > MAX_TARGET_BYTES || !equalBytes(utf8(text), bytes)) {
    throw new BrokenFolderError('a symbolic link leads to what is no path')
  }
  return text
}
