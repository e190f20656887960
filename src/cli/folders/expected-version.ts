import type { FolderWriter } from '../../folders/service/folder.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import type { Path } from '../../folders/names.ts'
import type { SeenVersions } from '../../home/seen-versions.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/** Which version of a file a put may replace. */
export type ExpectedVersion =
  /** Whichever is there. */
  | { readonly kind: 'any' }
  /** The one that was last read or written through this home. */
  | { readonly kind: 'last-seen' }
  /** One that `ls --json`, `get --json` or `put --json` told; undefined if nothing may be there. */
  | { readonly kind: 'version'; readonly version: string | undefined }

/** What `--if-version` takes for a file that must not be there yet. */
export const NO_VERSION = 'none'

/**
 * What the folder must show for the put to be made: a version, or nothing.
 * @returns undefined if anything will do
 * @throws CliError if what is there now is known to be another one, or nothing was ever seen
 */
export async function expectationAt(
  { folder, path }: { readonly folder: FolderWriter; readonly path: Path },
  expected: ExpectedVersion,
  { seen, label, signal }: { seen: SeenVersions; label: string; signal: AbortSignal },
): Promise<{ readonly version: string | undefined } | undefined> {
  switch (expected.kind) {
    case 'any':
      return undefined
    case 'version':
      return { version: expected.version }
    case 'last-seen': {
      const last = seen.look({ slot: folder.capability.slot, path })
      if (last === 'never') throw neverSeen(label)
      const shown = await (await folder.now({ signal })).stat(path)
      const version = shown && versionOf(shown)
      if (!last.is(version)) throw changedSince(label)
      return { version }
    }
  }
}

export function neverSeen(label: string): CliError {
  return new CliError({
    exit: EXIT.tryAgain,
    code: 'never-read',
    message: `Nothing was written: ${label} was not read through this home before, so nobody can tell whether it has changed. Read it first, or give --if-version.`,
  })
}

export function changedSince(label: string): CliError {
  return new CliError({
    exit: EXIT.tryAgain,
    code: 'folder-changed',
    message: `Nothing was written: ${label} has changed since it was read. Read it again, and make your change anew.`,
  })
}
