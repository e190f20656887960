import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { sha256 } from '../crypto/hash.ts'
import { concatBytes, equalBytes, viewOf } from '../foundation/bytes.ts'
import type { BlockName, KnownBlocks } from '../grid/blocks/known-blocks.ts'
import { blockId, type BlockId } from '../protocol/block-id.ts'

/**
 * Known blocks as a direct-mapped cache on disk: a name's first bits say which row it would be in, and a newcomer takes
 * the row of whoever was there. So nothing is ever loaded, looked for or cleared away, and several commands may use the
 * file at once: a row that two of them wrote into, or that rotted, fails its checksum and counts as empty.
 *
 *     row = name 32 ‖ id 32 ‖ first 16 bytes of SHA-256(name ‖ id)
 *
 * Synchronous: a row costs a few microseconds in the system's cache, a trip to the thread pool ten times that.
 */
export class KnownBlocksFile implements KnownBlocks, Disposable {
  readonly #file: number

  private constructor(file: number) {
    this.#file = file
  }

  /** @returns undefined where there can be no such file: it is a cache, and a full or read-only disk no reason to fail */
  static open(path: string): KnownBlocksFile | undefined {
    try {
      return new KnownBlocksFile(openAt(path))
    } catch {
      return undefined
    }
  }

  idOf(name: BlockName): BlockId | undefined {
    const row = new Uint8Array(ROW_BYTES)
    try {
      if (readSync(this.#file, row, 0, ROW_BYTES, positionOf(name)) !== ROW_BYTES) return undefined
    } catch {
      return undefined
    }
    const id = row.subarray(NAME_BYTES, NAME_BYTES + ID_BYTES)
    return equalBytes(row, rowOf(name, id)) ? blockId(id) : undefined
  }

  remember(name: BlockName, id: BlockId): void {
    try {
      writeSync(this.#file, rowOf(name, id), 0, ROW_BYTES, positionOf(name))
    } catch {
      return
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

const NAME_BYTES = 32
const ID_BYTES = 32
const CHECK_BYTES = 16
const ROW_BYTES = NAME_BYTES + ID_BYTES + CHECK_BYTES
/** 128 GiB of full blocks before half of the rows are taken; at most 10 MiB of disk. */
const ROWS = 2 ** 17

/** For reading and writing at any place, without cutting off what is there. */
function openAt(path: string): number {
  try {
    return openSync(path, 'r+')
  } catch {
    return openSync(path, 'wx+', 0o600)
  }
}

function positionOf(name: BlockName): number {
  return (viewOf(name).getUint32(0) % ROWS) * ROW_BYTES
}

function rowOf(name: BlockName, id: Uint8Array): Uint8Array {
  const row = concatBytes([name, id])
  return concatBytes([row, sha256(row).subarray(0, CHECK_BYTES)])
}
