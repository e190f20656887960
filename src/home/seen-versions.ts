import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { AccountSecret } from '../capabilities/account.ts'
import { deriveKey, prf, sha256 } from '../crypto/hash.ts'
import { KEY_LABELS, TAGS } from '../crypto/tags.ts'
import { concatBytes, equalBytes, utf8, viewOf } from '../foundation/bytes.ts'

/**
 * Which version of a file in a folder was last read or written through this home, for whoever wants to replace no other.
 * Like known blocks a direct-mapped cache on disk: what is not there, or was driven out, counts as never read.
 *
 *     row   = place 32 ‖ version 16 ‖ first 16 bytes of SHA-256(place ‖ version)
 *     place = PRF(key, "hayloft1/local-file", 2 ‖ slot 32 ‖ path)
 *     version = PRF(key, "hayloft1/local-file", 3 ‖ version), cut to 16
 */
export class SeenVersions implements Disposable {
  readonly #file: number | undefined
  readonly #key: Uint8Array

  private constructor(file: number | undefined, key: Uint8Array) {
    this.#file = file
    this.#key = key
  }

  /** Where there can be no such file, nothing is remembered. */
  static open(path: string, account: AccountSecret): SeenVersions {
    const key = deriveKey(account, KEY_LABELS.accountLocalFiles)
    try {
      return new SeenVersions(openAt(path), key)
    } catch {
      return new SeenVersions(undefined, key)
    }
  }

  /** What tells whether a version is the one that was last seen there, unless none is known. */
  look(place: SeenPlace): 'never' | { is(version: string | undefined): boolean } {
    const name = this.#nameOf(place)
    const row = new Uint8Array(ROW_BYTES)
    if (this.#file === undefined) return 'never'
    try {
      if (readSync(this.#file, row, 0, ROW_BYTES, positionOf(name)) !== ROW_BYTES) return 'never'
    } catch {
      return 'never'
    }
    const seen = row.subarray(NAME_BYTES, NAME_BYTES + VERSION_BYTES)
    if (!equalBytes(row, rowOf(name, seen))) return 'never'
    return { is: (version) => equalBytes(seen, this.#versionOf(version)) }
  }

  /** @param version undefined where nothing was */
  remember(place: SeenPlace, version: string | undefined): void {
    if (this.#file === undefined) return
    const name = this.#nameOf(place)
    try {
      writeSync(this.#file, rowOf(name, this.#versionOf(version)), 0, ROW_BYTES, positionOf(name))
    } catch {
      return
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file)
  }

  #nameOf({ slot, path }: SeenPlace): Uint8Array {
    return prf(this.#key, TAGS.localFile, OF_PLACE, slot, utf8(path.join('/')))
  }

  #versionOf(version: string | undefined): Uint8Array {
    const hash = prf(this.#key, TAGS.localFile, OF_VERSION, utf8(version ?? ''))
    return hash.subarray(0, VERSION_BYTES)
  }
}

/** A path in the very folder that it lies in, no link on the way. */
export interface SeenPlace {
  /** 32 bytes. */
  readonly slot: Uint8Array
  readonly path: readonly string[]
}

const OF_PLACE = Uint8Array.of(2)
const OF_VERSION = Uint8Array.of(3)
const NAME_BYTES = 32
const VERSION_BYTES = 16
const CHECK_BYTES = 16
const ROW_BYTES = NAME_BYTES + VERSION_BYTES + CHECK_BYTES
/** At most 4 MiB of disk; far more files than anyone edits at a time. */
const ROWS = 2 ** 16

/** For reading and writing at any place, without cutting off what is there. */
function openAt(path: string): number {
  try {
    return openSync(path, 'r+')
  } catch {
    return openSync(path, 'wx+', 0o600)
  }
}

function positionOf(name: Uint8Array): number {
  return (viewOf(name).getUint32(0) % ROWS) * ROW_BYTES
}

function rowOf(name: Uint8Array, version: Uint8Array): Uint8Array {
  const row = concatBytes([name, version])
  return concatBytes([row, sha256(row).subarray(0, CHECK_BYTES)])
}
