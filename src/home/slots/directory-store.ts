import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describingFailures } from '../../foundation/system-failure.ts'
import type { SmallStore } from '../../grid/slots/stored-memory.ts'
import { readIfThere, writePrivateFile } from '../files.ts'

/** Small values as files of one directory, each replaced whole. */
export class DirectoryStore implements SmallStore {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return await readIfThere(this.#pathOf(name))
  }

  async write(name: string, value: Uint8Array): Promise<void> {
    await writePrivateFile(this.#pathOf(name), value)
  }

  async remove(name: string): Promise<void> {
    const path = this.#pathOf(name)
    await describingFailures(`The file ${path}`, async () => {
      await rm(path, { force: true })
    })
  }

  async names(): Promise<readonly string[]> {
    return await describingFailures(`The directory ${this.#directory}`, async () =>
      // What a crash left of a write begins with a dot and is no value.
      (await readdir(this.#directory)).filter((name) => !name.startsWith('.')),
    )
  }

  #pathOf(name: string): string {
    return join(this.#directory, name)
  }
}
