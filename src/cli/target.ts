import { constants, type Stats } from 'node:fs'
import { access, open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCodeOf } from '../foundation/error.ts'
import { EXIT } from './exit-codes.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { CliError, systemFailure } from './failures.ts'
import { syncDirectory, temporaryBeside } from '../home/files.ts'

/**
 * A file that appears under its name whole or not at all. Disposing before {@link commit} leaves no trace; a process
 * that is killed leaves at most a hidden file that ends in `.part`.
 */
export interface Target extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>
  /** Makes the file durable and gives it its name. */
  commit(): Promise<void>
}

/** Finds out by doing: creates the temporary file that the download will go to. @throws CliError */
export async function openTarget(path: string): Promise<Target> {
  const existing = await statIfThere(path)
  refuseSpecial(path, existing)
  try {
    // Through a symbolic link to the file that it means, as cp does.
    const real = existing === undefined ? path : await realpath(path)
    if (existing !== undefined) await access(real, constants.W_OK)
    const temporary = temporaryBeside(real)
    const mode = existing === undefined ? DEFAULT_MODE : existing.mode & 0o777
    const file = await open(temporary, 'wx', mode)
    return new FileTarget(file, { path, real, temporary })
  } catch (thrown) {
    throw cannotCreate(path, thrown)
  }
}

/** The user's umask takes away what they do not want. */
const DEFAULT_MODE = 0o666

class FileTarget implements Target {
  readonly #file: FileHandle
  readonly #names: { readonly path: string; readonly real: string; readonly temporary: string }
  #isOpen = true
  #isCommitted = false

  constructor(file: FileHandle, names: { path: string; real: string; temporary: string }) {
    this.#file = file
    this.#names = names
  }

  async write(bytes: Uint8Array): Promise<void> {
    await describingFailures(`The file ${this.#names.path}`, async () => {
      await this.#file.writeFile(bytes)
    })
  }

  async commit(): Promise<void> {
    const { path, real, temporary } = this.#names
    await describingFailures(`The file ${path}`, async () => {
      await this.#file.sync()
      await this.#close()
      await rename(temporary, real)
      this.#isCommitted = true
      await syncDirectory(dirname(real))
    })
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    if (!this.#isCommitted) await rm(this.#names.temporary, { force: true })
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw cannotCreate(path, thrown)
  }
}

function refuseSpecial(path: string, existing: Stats | undefined): void {
  if (existing === undefined || existing.isFile()) return
  const advice = existing.isDirectory()
    ? 'is a directory. Name a file in it.'
    : 'is not an ordinary file. To write to a pipe or device, leave out -o and redirect the output.'
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'cannot-create',
    message: `${path} ${advice}`,
  })
}

function cannotCreate(path: string, thrown: unknown): unknown {
  const isMissing = systemCodeOf(thrown) === 'ENOENT'
  const subject = isMissing ? `The directory of ${path}` : `The place for ${path}`
  const failure = systemFailure(thrown, subject)
  if (failure === undefined) return thrown
  const exit = failure.exit === EXIT.permission ? EXIT.permission : EXIT.cannotCreate
  return new CliError({ exit, code: 'cannot-create', message: failure.message }, { cause: thrown })
}
