import type { LocalVersion } from '../../../grid/files/local-version.ts'
import type { ByteRange } from '../../../grid/download.ts'
import type { OpenedFile, Scan, SyncDisk } from '../disk/sync-disk.ts'
import type { SyncRecords, SyncRow } from '../records/records.ts'
import type { ContentHash, PathText } from '../trees.ts'

export interface AgreedVersionContext {
  readonly disk: Pick<SyncDisk, 'open'>
  readonly records: Pick<SyncRecords, 'rows'>
  readonly scan: Pick<Scan, 'tree'>
  readonly signal: AbortSignal
}

/**
 * A file on the disk that still is what was last agreed, and so has the bytes that the grid has under its reference. Before
 * any of them is given out all of it is hashed once, and with each piece it is looked at whether it has changed since.
 */
export class AgreedVersion implements LocalVersion, AsyncDisposable {
  readonly reference: LocalVersion['reference']
  readonly #file: OpenedFile
  readonly #hash: ContentHash
  readonly #signal: AbortSignal
  #isAgreed: Promise<boolean> | undefined

  private constructor(
    file: OpenedFile,
    { reference }: NonNullable<SyncRow['stored']>,
    about: { readonly hash: ContentHash; readonly signal: AbortSignal },
  ) {
    this.#file = file
    this.reference = reference
    this.#hash = about.hash
    this.#signal = about.signal
  }

  /** @returns undefined if there is nothing at the path that was agreed, or it has changed */
  static async open(
    { disk, records, scan, signal }: AgreedVersionContext,
    path: PathText,
  ): Promise<AgreedVersion | undefined> {
    const { synced, stored } = records.rows.get(path) ?? {}
    const node = scan.tree.get(path)
    if (synced?.kind !== 'file' || stored === undefined) return undefined
    // What is too new could change, and its times would not tell.
    if (node?.kind !== 'file' || node.hash !== synced.hash || node.isRacy) return undefined
    const file = await disk.open(path)
    if (file === undefined) return undefined
    if (file.signature === node.signature) {
      return new AgreedVersion(file, stored, { hash: synced.hash, signal })
    }
    await file[Symbol.asyncDispose]()
    return undefined
  }

  async read(range: ByteRange): Promise<Uint8Array | undefined> {
    this.#isAgreed ??= this.#check()
    return (await this.#isAgreed) ? await this.#file.read(range) : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A read that nobody waits for any more must not meet a handle that is another file's by then.
    await this.#isAgreed?.catch(() => undefined)
    await this.#file[Symbol.asyncDispose]()
  }

  async #check(): Promise<boolean> {
    return (await this.#file.hash(this.#signal)) === this.#hash
  }
}
