import { dirname, extname, join } from 'node:path'
import { systemCodeOf } from '../../../foundation/error.ts'
import { toHex } from '../../../foundation/bytes.ts'
import type { Randomness } from '../../../foundation/randomness.ts'
import type { ContentHash } from '../trees.ts'
import { linkFree } from './careful.ts'
import type { FileSystem } from './file-system.ts'
import { hashFile } from './scan.ts'

/** Marks what was taken from its user's place for a moment, and is to be looked at after a crash. */
const TAKEN = '.taken'

/** A name in the directory of temporaries for a file that is taken from its place. */
export function takenName(temporaries: string, at: string, randomness: Randomness): string {
  const end = /^\.[\w-]{1,16}$/.exec(extname(at))?.[0] ?? ''
  return join(temporaries, `${toHex(randomness.bytes(12))}${TAKEN}${end}`)
}

/** Gives what must not be lost a name of its own beside its place, where the next scan finds it. */
export async function keepBeside(files: FileSystem, from: string, at: string): Promise<void> {
  await keepAs(files, from, (mark) => {
    return at.replace(/(\.[^./\\]{1,16})?$/, (end) => ` (changed meanwhile${mark})${end}`)
  })
}

/** Moves what its user does without to a directory of its own, under a name that is free there. */
export async function keepAside(files: FileSystem, from: string, to: string): Promise<void> {
  try {
    await files.mkdir(dirname(to))
  } catch (thrown) {
    if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
  }
  await keepAs(files, from, (mark) => `${to}${mark}`)
}

/**
 * Clears away what a crash left in the directory of temporaries. What had been taken from its place then, and is known to
 * be nowhere else, is put at the top of the synced directory.
 * @param isKept - tells what is looked after by others
 */
export async function clearTemporaries(
  files: FileSystem,
  { root, temporaries }: { readonly root: string; readonly temporaries: string },
  isKnown: (hash: ContentHash) => boolean,
  isKept: (name: string) => boolean,
): Promise<void> {
  for (const name of namesIn(files, temporaries)) {
    if (isKept(name)) continue
    const at = join(temporaries, name)
    const isTaken = name.includes(TAKEN) && files.lstatNow(at).isFile()
    if (isTaken && !isKnown(await hashFile(files, at))) {
      await keepAs(files, at, (mark) => join(root, `Rescued file${mark}${extname(name)}`))
    }
    await files.clear(at)
  }
}

/** All names in a directory that are Unicode. */
export function namesIn(files: Pick<FileSystem, 'listNow'>, at: string): string[] {
  return files.listNow(at).map((bytes) => Buffer.from(bytes).toString('utf8'))
}

async function keepAs(
  files: FileSystem,
  from: string,
  nameWith: (mark: string) => string,
): Promise<void> {
  for (let number = 1; ; number++) {
    const free = nameWith(number === 1 ? '' : ` ${number}`)
    if (!(await linkFree(files, from, free))) continue
    // A power cut must not leave it without a name.
    await files.syncDirectory(dirname(free))
    await files.unlink(from)
    return
  }
}
