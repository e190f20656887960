import { dirname } from 'node:path'
import type { Randomness } from '../../../foundation/randomness.ts'
import { hold, isAsExpected, linkFree, unlessGone } from './careful.ts'
import type { FileSystem } from './file-system.ts'
import { keepBeside, takenName } from './keepsakes.ts'
import type { Guard, Signature } from './sync-disk.ts'

/** What a file must be that is about to go, and where else its content must be by then. */
export interface Replacing {
  readonly guard: Guard
  readonly copy?: { readonly at: string; readonly signature: Signature } | undefined
}

/** A file that was taken from its place cannot be put back: its directory is gone. */
export class PlaceGoneError extends Error {}

/** Replaces and takes away files of a user's who may be at them at the same moment. */
export class Replacer {
  readonly #files: FileSystem
  readonly #temporaries: string
  readonly #randomness: Randomness
  readonly #onReplaced: (at: string) => void

  /**
   * @param about.temporaries - a directory on the same disk
   * @param about.onReplaced - told of what was replaced, and is to be removed from where it is now
   */
  constructor(about: {
    readonly files: FileSystem
    readonly temporaries: string
    readonly randomness: Randomness
    readonly onReplaced: (at: string) => void
  }) {
    this.#files = about.files
    this.#temporaries = about.temporaries
    this.#randomness = about.randomness
    this.#onReplaced = about.onReplaced
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
      isAsExpected(files, second, guard) &&
      (await unlessGone(this.#replace(from, at, { ...replacing, held })))
    if (isReplaced !== true) {
      if (held === 'linked') await files.unlink(second)
      else await this.giveBack(second, at, guard)
      return false
    }
    // Somebody may have had it open all the while, or replaced it just before.
    if (isAsExpected(files, second, guard)) this.#onReplaced(second)
    else await keepBeside(files, second, at)
    return true
  }

  /**
   * Takes away what is expected at a place: out of its user's sight first, and then looked at once more, for what an editor
   * puts there in this very moment is not what was looked at.
   * @returns where it is now; undefined if something else was there, and is there again
   * @throws PlaceGoneError
   */
  async take(at: string, { guard, copy }: Replacing): Promise<string | undefined> {
    if (guard.expects === undefined || !isAsExpected(this.#files, at, guard)) return undefined
    const taken = takenName(this.#temporaries, at, this.#randomness)
    if (copy === undefined) await this.#files.rename(at, taken)
    else {
      // At once, so that there is no moment in which its user changes the one and still sees the other.
      if (!this.#isKept(copy)) return undefined
      this.#files.renameNow(at, taken)
    }
    if (isAsExpected(this.#files, taken, guard)) return taken
    await this.giveBack(taken, at, guard)
    return undefined
  }

  /** @throws PlaceGoneError */
  async giveBack(taken: string, at: string, guard: Guard): Promise<void> {
    const isBack = await unlessGone(linkFree(this.#files, taken, at))
    if (isBack === undefined) throw new PlaceGoneError()
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
    if (!this.#isKept(copy)) return false
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

  #isKept(copy: Replacing['copy']): boolean {
    if (copy === undefined) return true
    return isAsExpected(this.#files, copy.at, { expects: { signature: copy.signature } })
  }
}
