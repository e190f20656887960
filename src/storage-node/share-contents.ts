import { concatBytes, viewOf } from '../foundation/bytes.ts'
import type { Randomness } from '../foundation/randomness.ts'
import type { BlockId } from '../protocol/block-id.ts'
import { MANIFEST_HEADER_BYTES } from '../protocol/manifest.ts'
import type { Disk, NewFile } from './disk.ts'
import { GroupCommit } from './group-commit.ts'
import { shareFileName, shareKey, type HeldShare } from './rows.ts'

/**
 * Contents up to this size live in a row, larger ones in a file. Measured on ext4: below, a row costs a fraction of
 * a file's four system calls and two syncs; above, LevelDB writes the bytes three times and more.
 */
const MAX_ROW_CONTENTS_BYTES = 16 * 1024

/** Files written side by side before one of them is acknowledged. */
const MAX_GROUP_FILES = 64
const MAX_GROUP_BYTES = 32 * 1024 * 1024

const ROOT_BYTES = 32

/** A share as a node keeps it: what makes it checkable, and itself. */
export interface StoredShare {
  /** Encoded. */
  readonly manifest: Uint8Array
  readonly shard: Uint8Array
}

/** The bytes of shares, wherever they lie. The ledger says which of them count. */
export class ShareContents {
  readonly #disk: Pick<Disk, 'rows' | 'files'>
  readonly #randomness: Randomness
  readonly #group: GroupCommit<NewFile, undefined>
  readonly #pending = new Set<string>()

  constructor(disk: Pick<Disk, 'rows' | 'files'>, randomness: Randomness) {
    this.#disk = disk
    this.#randomness = randomness
    this.#group = new GroupCommit({
      maxItems: MAX_GROUP_FILES,
      maxWeight: MAX_GROUP_BYTES,
      weigh: ({ parts }) => parts.reduce((sum, part) => sum + part.length, 0),
      commit: async (files) => {
        await disk.files.write(files)
        return files.map(() => undefined)
      },
    })
  }

  /** A place for a share that is about to be kept. */
  place(index: number, { manifest, shard }: StoredShare): HeldShare {
    const tag = viewOf(this.#randomness.bytes(4)).getUint32(0)
    const small = manifest.length + shard.length <= MAX_ROW_CONTENTS_BYTES
    return { index, place: small ? 'row' : 'file', tag }
  }

  /** What goes into the row of a share whose place is one. */
  toRow({ manifest, shard }: StoredShare): Uint8Array {
    return concatBytes([manifest, shard])
  }

  /**
   * Writes a share's file; until `keep` settles it is pending, and no sweep takes it for a stray one. It is removed
   * when `keep` resolves with false. When `keep` rejects nobody knows whether the index has it, and it stays.
   */
  async writeFile<T>(
    id: BlockId,
    held: HeldShare,
    { manifest, shard }: StoredShare,
    keep: () => Promise<{ kept: boolean; result: T }>,
  ): Promise<T> {
    const name = shareFileName(id, held)
    this.#pending.add(name)
    try {
      await this.#writeOrClear({ name, parts: [manifest, shard] })
      const { kept, result } = await keep()
      if (!kept) await this.#remove(name)
      return result
    } finally {
      this.#pending.delete(name)
    }
  }

  /** @returns undefined if its contents are gone or cut short */
  async read(id: BlockId, held: HeldShare, shareBytes: number): Promise<StoredShare | undefined> {
    const contents =
      held.place === 'row'
        ? await this.#disk.rows.get(shareKey(id, held.index))
        : await this.#disk.files.read(shareFileName(id, held), { offset: 0, length: shareBytes })
    if (contents === undefined || contents.length !== shareBytes) return undefined
    const manifestBytes = MANIFEST_HEADER_BYTES + ROOT_BYTES * (contents[3] ?? 0)
    if (manifestBytes > contents.length) return undefined
    return {
      manifest: contents.subarray(0, manifestBytes),
      shard: contents.subarray(manifestBytes),
    }
  }

  /** Removes the file of a share that no longer counts. Contents in rows go with the ledger's own change. */
  async removeFile(id: BlockId, held: HeldShare): Promise<void> {
    if (held.place === 'file') await this.#remove(shareFileName(id, held))
  }

  /** Names of files being written that the index does not have yet. */
  pendingFiles(): Set<string> {
    return new Set(this.#pending)
  }

  async #writeOrClear(file: NewFile): Promise<void> {
    try {
      await this.#group.add(file)
    } catch (error) {
      await this.#remove(file.name)
      throw error
    }
  }

  /** A file that a failing disk does not let go of is a stray one for the next sweep, and no reason to fail. */
  async #remove(name: string): Promise<void> {
    await this.#disk.files.remove(name).catch(() => undefined)
  }
}
