import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCodeOf } from './error.ts'
import { SystemFailureError } from './system-failure.ts'

/**
 * Makes a directory and those above it that are not there yet. Node's own way (`recursive`) tries for ever where the parent
 * is there and takes no directories, as in `/proc`, and holds up a thread of the whole program while it does.
 *
 * @param options.mode - of what is made; one that is there keeps its own
 * @returns whether the directory itself was made
 * @throws SystemFailureError (`cannot-create`): a file is in the way, or nothing can be made there; the system's error
 */
export async function makeDirectories(
  path: string,
  options: { readonly mode?: number } = {},
): Promise<boolean> {
  try {
    await mkdir(path, options)
    return true
  } catch (thrown) {
    if (await isDirectory(path)) return false
    const code = systemCodeOf(thrown)
    if (code === 'EEXIST') throw cannotMake(path, 'something else has that name', thrown)
    if (code !== 'ENOENT' || dirname(path) === path) throw thrown
  }
  await makeDirectories(dirname(path), options)
  try {
    await mkdir(path, options)
    return true
  } catch (thrown) {
    // Somebody else may have made it at the same time.
    if (await isDirectory(path)) return false
    if (systemCodeOf(thrown) !== 'ENOENT') throw thrown
    throw cannotMake(path, `${dirname(path)} takes no directories`, thrown)
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

function cannotMake(path: string, why: string, cause: unknown): SystemFailureError {
  const message = `The directory ${path} cannot be made: ${why}.`
  return new SystemFailureError({ code: 'cannot-create', message }, { cause })
}
