import { describingFailures } from '../../../foundation/system-failure.ts'
import type { Clock } from '../../../foundation/clock.ts'
import type { DiskPaths } from './disk-paths.ts'
import type { FileSystem } from './file-system.ts'
import { readSelection, type ReadSelection } from './ignore-files.ts'
import { mendNames } from './mend-names.ts'
import { scanDirectory, type DiskScan } from './scan.ts'
import type { ScanOptions } from './sync-disk.ts'

interface ScansOptions {
  readonly root: string
  readonly paths: DiskPaths
  readonly files: FileSystem
  readonly clock: Clock
}

/** Scans of one directory, of which each looks at what may have changed since the last one. */
export class Scans {
  readonly #options: ScansOptions
  #selection: ReadSelection | undefined
  /** What the disk was, but for directories that may have changed since. */
  #last: DiskScan | undefined
  readonly #changed = new Set<string>()
  /** Anything may have changed since the scan that is under way, or the last one, began. */
  #isDoubted = false

  constructor(options: ScansOptions) {
    this.#options = options
  }

  /** Something may have changed in a directory of the disk; anywhere if none is named. */
  noteChange(directory?: string): void {
    if (directory === undefined) {
      this.#last = undefined
      this.#isDoubted = true
    } else this.#changed.add(directory)
  }

  /** @throws SystemFailureError: the root cannot be read */
  async scan(options: ScanOptions): Promise<DiskScan> {
    const { files, root } = this.#options
    const { chosen } = options
    const read = await readSelection(files, root, { chosen, last: this.#selection })
    if (read !== this.#selection) this.#last = undefined
    this.#selection = read
    const scan = await this.#scanOnce(options, read)
    const isMended = await describingFailures(`The directory ${root}`, async () =>
      mendNames(files, scan.marked),
    )
    if (!isMended) return scan
    this.#last = undefined
    return await this.#scanOnce(options, read)
  }

  async #scanOnce(options: ScanOptions, { selection }: ReadSelection): Promise<DiskScan> {
    const { paths, files, clock } = this.#options
    const [last, changed] = [this.#last, new Set(this.#changed)]
    // What is changed from now on may be missed by this scan.
    this.#changed.clear()
    this.#last = undefined
    this.#isDoubted = false
    const before = last && { scan: last, changed }
    const scan = await scanDirectory(paths, { ...options, clock, selection, files, before })
    if (!this.#isDoubted) this.#last = scan
    return scan
  }
}
