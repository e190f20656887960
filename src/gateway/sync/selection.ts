import ignore from 'ignore'
import { parentOf, type PathText } from './trees.ts'

/** What of a folder a directory is to have. */
export interface Selection {
  /** Whether a path is left out: neither brought to the disk nor taken from it, whatever either side does. */
  leavesOut(path: PathText, isDirectory: boolean): boolean
}

/** Rules in the syntax of `.gitignore`, which everybody who syncs the folder has. */
export const IGNORE_FILE = '.hayloftignore' as PathText
/** The same for this directory alone; it is not synced itself. */
export const LOCAL_IGNORE_FILE = '.hayloftignore.local' as PathText

/** Paths that a user chose, with all that is below them. */
export interface ChosenPaths {
  /** Nothing but these; all if there are none. */
  readonly only: readonly PathText[]
  readonly except: readonly PathText[]
}

export const EVERYTHING: ChosenPaths = { only: [], except: [] }

/**
 * What programs and systems leave lying about for a moment or for themselves. Rules of the user's come after these, so that
 * `!desktop.ini` has it synced.
 */
const TEMPORARIES: readonly string[] = [
  '/.hayloft',
  `/${LOCAL_IGNORE_FILE}`,
  '.DS_Store',
  'Thumbs.db',
  'desktop.ini',
  '~$*',
  '.~lock.*#',
  '.#*',
  '\\#*#',
  '.*.sw[a-p]',
  '.goutputstream-*',
  '.fuse_hidden*',
  '.nfs[0-9a-f]*',
  '.Trash-*',
  '*.part',
  '*.crdownload',
]

/** @param rules - texts of ignore files; later ones go before earlier ones */
export function selectPaths(rules: readonly string[], chosen: ChosenPaths = EVERYTHING): Selection {
  const matcher = ignore({ ignorecase: false, allowRelativePaths: false }).add([...TEMPORARIES])
  for (const text of rules) matcher.add(text)
  const isChosen = choice(chosen)
  return {
    leavesOut: (path, isDirectory) =>
      !isChosen(path, isDirectory) || matcher.ignores(isDirectory ? `${path}/` : path),
  }
}

function choice({ only, except }: ChosenPaths): (path: PathText, isDirectory: boolean) => boolean {
  if (only.length === 0 && except.length === 0) return () => true
  const within = new Set(only)
  const without = new Set(except)
  // The way to what is wanted is wanted as well, with nothing else that lies there.
  const above = new Set<PathText>()
  for (const path of only) {
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) above.add(at)
  }
  return (path, isDirectory) => {
    if (isWithin(path, without)) return false
    return within.size === 0 || isWithin(path, within) || (isDirectory && above.has(path))
  }
}

function isWithin(path: PathText, roots: ReadonlySet<PathText>): boolean {
  for (let at: PathText | undefined = path; at !== undefined; at = parentOf(at)) {
    if (roots.has(at)) return true
  }
  return false
}
