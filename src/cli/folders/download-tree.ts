import { lstatSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mapConcurrently, Semaphore } from '../../foundation/concurrency.ts'
import { makeDirectories } from '../../foundation/directories.ts'
import { HayloftError } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import { SystemFailureError } from '../../foundation/system-failure.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { sizeOf, type SymlinkEntry, type Version } from '../../folders/entry.ts'
import { formatPath, type Path } from '../../folders/names.ts'
import type { Shown } from '../../folders/read.ts'
import type { FolderView } from '../../folders/service/view.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, failureOf, naming, systemFailure, type Failure } from '../failures.ts'
import { refuseLocalName } from '../local/local-name.ts'
import { placeFile, placeLink } from '../local/place-file.ts'
import { openProgress } from '../progress.ts'
import { count, type Terminal } from '../terminal.ts'
import { Totals } from '../totals.ts'

export interface DownloadReport {
  readonly written: number
  readonly writtenBytes: number
  /** Files that were there already. */
  readonly same: number
  readonly failed: readonly { readonly path: string; readonly failure: Failure }[]
}

type File = Shown & { readonly path: Path; readonly entry: Version }
type Symlink = Shown & { readonly path: Path; readonly entry: SymlinkEntry }

interface DownloadTools {
  readonly overwrite: boolean
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** Small files wait for round trips, not for bytes. */
const FILES_AT_ONCE = 64
/** Bytes in flight; one large file takes them alone. */
const BYTES_AT_ONCE = 16 * 1024 * 1024
const FILE_OVERHEAD_BYTES = 4096

/**
 * Writes all that is below a directory of the grid into a local one. Nothing is written outside of it: directories on
 * the way must be real ones, and symbolic links are made when everything else is there.
 */
export async function downloadTree(
  view: FolderView,
  { from, to }: { readonly from: Path; readonly to: string },
  tools: DownloadTools,
): Promise<DownloadReport> {
  const run = new TreeDownload(view, tools)
  await run.collect(from, to)
  await run.getFiles()
  await run.makeLinks()
  return run.report()
}

class TreeDownload {
  readonly #view: FolderView
  readonly #tools: DownloadTools
  readonly #files: { readonly file: File; readonly at: string }[] = []
  readonly #links: { readonly link: Symlink; readonly at: string }[] = []
  /** Directories that could not be made: what is below them was told with them. */
  readonly #blocked = new Set<string>()
  readonly #failed: { path: string; failure: Failure }[] = []
  readonly #bytes = new Semaphore(BYTES_AT_ONCE)
  #written = 0
  #writtenBytes = 0
  #same = 0

  constructor(view: FolderView, tools: DownloadTools) {
    this.#view = view
    this.#tools = tools
  }

  /** Makes the directories, and finds out what goes into them. */
  async collect(from: Path, to: string): Promise<void> {
    const { signal } = this.#tools
    await describingFailures(`The directory ${to}`, async () => {
      await makeDirectories(to)
    })
    const walk = this.#view.walk(from, {
      links: true,
      onUnreadable: (path, error) => {
        this.#fail(path, error)
      },
      signal,
    })
    for await (const shown of walk) {
      const { path, entry } = shown
      const inner = path.slice(from.length)
      const at = join(to, ...inner)
      if (this.#blocked.has(dirname(at))) {
        this.#blocked.add(at)
        continue
      }
      try {
        refuseLocalName(path.at(-1) ?? '')
        if (entry.kind === 'directory' || entry.kind === 'linked-folder') makeDirectory(at)
        else if (entry.kind === 'symlink') this.#links.push({ link: { ...shown, entry }, at })
        else this.#files.push({ file: { ...shown, entry }, at })
      } catch (thrown) {
        this.#blocked.add(at)
        const failure = systemFailure(thrown, `The directory ${at}`) ?? failureOf(thrown)
        this.#failed.push({ path: formatPath(path), failure })
      }
    }
  }

  async getFiles(): Promise<void> {
    const { terminal } = this.#tools
    const label = `Getting ${count(this.#files.length, 'file')}`
    const progress = await openProgress(terminal, { label, clock: systemClock })
    const totals = new Totals(progress)
    totals.expect(this.#files.reduce((sum, { file }) => sum + sizeOf(file.entry), 0))
    try {
      await mapConcurrently(this.#files, FILES_AT_ONCE, async ({ file, at }) => {
        await this.#guard(file.path, async () => {
          await this.#getFile(file, at, totals)
        })
      })
    } finally {
      progress.stop()
    }
  }

  async makeLinks(): Promise<void> {
    const { overwrite } = this.#tools
    for (const { link, at } of this.#links) {
      await this.#guard(link.path, async () => {
        const placed = await placeLink(at, link.entry.target, { overwrite })
        if (placed === 'same') this.#same += 1
        else this.#written += 1
      })
    }
  }

  report(): DownloadReport {
    const [written, writtenBytes, same] = [this.#written, this.#writtenBytes, this.#same]
    return { written, writtenBytes, same, failed: this.#failed }
  }

  async #getFile(file: File, at: string, totals: Totals): Promise<void> {
    const { overwrite, signal } = this.#tools
    const { entry } = file
    const release = await this.#bytes.acquire(FILE_OVERHEAD_BYTES + sizeOf(entry), signal)
    try {
      // How large a file with a slot of its own is, only reading tells.
      const opened = entry.kind === 'linked-file' ? await this.#read(file) : undefined
      const sizeBytes = opened?.sizeBytes ?? sizeOf(entry)
      const incoming = {
        sizeBytes,
        mtimeMs: entry.mtimeMs,
        isExecutable: 'isExecutable' in entry && entry.isExecutable,
        chunks: async () => totals.counting((opened ?? (await this.#read(file))).chunks),
      }
      const placed = await placeFile(at, incoming, { overwrite })
      if (placed === 'same') {
        this.#same += 1
      } else {
        this.#written += 1
        this.#writtenBytes += sizeBytes
      }
    } finally {
      release()
    }
  }

  async #read(file: File): ReturnType<FolderView['readEntry']> {
    return await this.#view.readEntry(file, { signal: this.#tools.signal })
  }

  /** One file that cannot be had, or has no place here, does not hold up the others. */
  async #guard(path: Path, work: () => Promise<void>): Promise<void> {
    this.#tools.signal.throwIfAborted()
    try {
      await work()
    } catch (thrown) {
      const { signal } = this.#tools
      const isDiskFull = thrown instanceof SystemFailureError && thrown.code === 'disk-full'
      if (signal.aborted || isDiskFull || !(thrown instanceof HayloftError)) throw thrown
      this.#fail(path, thrown)
    }
  }

  #fail(path: Path, thrown: unknown): void {
    const at = formatPath(path)
    this.#failed.push({ path: at, failure: naming(at, failureOf(thrown)) })
  }
}

/** A directory that is there must be one itself: through a link, files would be written elsewhere. */
function makeDirectory(at: string): void {
  const there = lstatSync(at, { throwIfNoEntry: false })
  if (there?.isDirectory() === true) return
  if (there === undefined) {
    mkdirSync(at)
    return
  }
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'in-the-way',
    message: `${at} is a directory on the grid, and none here. Move it away first.`,
  })
}
