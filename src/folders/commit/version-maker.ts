import { verifyKeyOf } from '../../crypto/block-keys.ts'
import { utf8 } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import type { Dot } from '../../protocol/version-vector.ts'
import { singleDot } from '../dots.ts'
import {
  MAX_EXTENSION_BYTES,
  MAX_LITERAL_BYTES,
  MAX_MTIME_MS,
  MAX_TARGET_BYTES,
  MIN_MTIME_MS,
  type Version,
} from '../entry.ts'
import { EntryTooLargeError } from '../errors.ts'
import type { Name } from '../names.ts'
import type { NewVersion } from './edits.ts'

/** Makes what one commit puts. */
export class VersionMaker {
  readonly #dot: Dot
  readonly #device: string

  constructor(dot: Dot, device: string) {
    this.#dot = dot
    this.#device = device
  }

  /** @throws EntryTooLargeError */
  make(name: Name, content: NewVersion): Version {
    const { mtimeMs, extension } = content
    assert(Number.isSafeInteger(mtimeMs), 'a time is a whole number of ms')
    assertRoom(extension?.length ?? 0, MAX_EXTENSION_BYTES, 'What is added to an entry')
    const common = {
      name,
      dots: singleDot(this.#dot),
      // Clocks that are thousands of years off are no reason to refuse a file.
      mtimeMs: Math.min(Math.max(mtimeMs, MIN_MTIME_MS), MAX_MTIME_MS),
      device: this.#device,
      // The bytes are the caller's, who may use the memory again, and the entry outlives the call.
      extension: extension && new Uint8Array(extension),
    }
    switch (content.kind) {
      case 'file': {
        const { kind, reference, sizeBytes, isExecutable = false } = content
        const verifyKey = verifyKeyOf(reference.key)
        return { kind, ...common, reference, verifyKey, sizeBytes, isExecutable }
      }
      case 'literal': {
        const { kind, bytes, isExecutable = false } = content
        assertRoom(bytes.length, MAX_LITERAL_BYTES, 'What an entry itself holds')
        return { kind, ...common, bytes: new Uint8Array(bytes), isExecutable }
      }
      case 'symlink': {
        const { kind, target } = content
        assertRoom(utf8(target).length, MAX_TARGET_BYTES, 'The target of a symbolic link')
        return { kind, ...common, target }
      }
      case 'linked-folder':
      case 'linked-file': {
        const { kind, slot, readKey, verifyKey, sealedWriteKey, lastSeen } = content
        return { kind, ...common, slot, readKey, verifyKey, sealedWriteKey, lastSeen }
      }
    }
  }
}

function assertRoom(bytes: number, most: number, what: string): void {
  if (bytes > most) throw new EntryTooLargeError(`${what} has ${bytes} bytes, more than ${most}.`)
}
