import { dirname } from 'node:path'
import type { Randomness } from '../../../foundation/randomness.ts'
import { hold, isAsExpected, linkFree } from './careful.ts'
import type { FileSystem } from './file-system.ts'
import { keepBeside, takenName } from './keepsakes.ts'
import type { Guard, Signature } from './sync-disk.ts'

/** What a file must be that is about to be replaced, and where else its content must be by then. */
interface Replacing {
  readonly guard: Guard
  readonly copy?: { readonly at: string; readonly signature: Signature } | undefined
}

/** Replaces and takes away files of a user's who may be at them at the same moment. */
export class Replacer {
  readonly #files: FileSystem
  readonly #temporaries: string
  readonly #randomness: Randomness

  /** @param temporaries - a directory on the same disk */
  constructor(files: FileSystem, temporaries: string, randomness: Randomness) {
    this.#files = files
    this.#temporaries = temporaries
    this.#randomness = randomness
  }

  /** Lets `from` take the place of what is expected there. @returns false if that is not there */
  async arrive(from: string, at: string, replacing: Replacing): Promise<boolean> {
    const files = this.#files
    const { guard } = replacing
    if (guard.expects === undefined) {
      if (!(await linkFree(files, from, at))) return false
      await files.unlink(from)
      return true
    }
    if (!isAsExpected(files, at, guard)) return false
    const second = takenName(this.#temporaries, at, this.#randomness)
    const held = await hold(files, at, second)
    if (held === undefined) return false
    const isReplaced =
      isAsExpected(files, second, guard) && (await this.#replace(from, at, { ...replacing, held }))
    if (!isReplaced) {
      if (held === 'linked') await files.unlink(second)
      else await this.giveBack(second, at, guard)
      return false
    }
    // Somebody may have had it open all the while, or replaced it just before.
    if (isAsExpected(files, second, guard)) await files.unlink(second)
    else await keepBeside(files, second, at)
    return true
  }

  /**
   * Takes away what is expected at a place: out of its user's sight first, and then looked at once more, for what an editor
   * puts there in this very moment is not what was looked at.
   * @returns where it is now; undefined if something else was there, and is there again
   */
  async take(at: string, guard: Guard): Promise<string | undefined> {
    if (guard.expects === undefined || !isAsExpected(this.#files, at, guard)) return undefined
    const taken = takenName(this.#temporaries, at, this.#randomness)
    await this.#files.rename(at, taken)
    if (isAsExpected(this.#files, taken, guard)) return taken
    await this.giveBack(taken, at, guard)
    return undefined
  }

  async giveBack(taken: string, at: string, guard: Guard): Promise<void> {
    const isBack = await linkFree(this.#files, taken, at)
    if (isBack) await this.#files.syncDirectory(dirname(at))
    // Where its user has put something else by now, what was agreed is given up, and nothing but that.
    if (isBack || isAsExpected(this.#files, taken, guard)) await this.#files.unlink(taken)
    else await keepBeside(this.#files, taken, at)
  }

  /** @returns false if something else is there by now */
  async #replace(
    from: string,
    at: string,
    { held, guard, copy }: Replacing & { readonly held: 'linked' | 'taken' },
  ): Promise<boolean> {
    const files = this.#files
    const isKept =
      copy === undefined || isAsExpected(files, copy.at, { expects: { signature: copy.signature } })
    if (!isKept) return false
    if (held === 'taken') {
      if (!(await linkFree(files, from, at))) return false
      await files.unlink(from)
      return true
    }
    // At once, so that an editor's own rename has hardly a moment to come in between.
    if (!isAsExpected(files, at, guard)) return false
    files.renameNow(from, at)
    return true
  }
}
