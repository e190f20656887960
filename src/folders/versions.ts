import { compareBytes, equalBytes, toHex } from '../foundation/bytes.ts'
import { compareDots, greatestDot, type Dots } from './dots.ts'
import { joinVectors } from '../protocol/version-vector.ts'
import type { Entry, Version } from './entry.ts'
import { bareBytes } from './tree/entry-codec.ts'

/** Versions of one name whose content is the same, whatever their times and writers: shown as one. */
export interface SharedContent {
  /** The one that is shown: the last in the order of {@link compareVersions}. */
  readonly shown: Version
  readonly versions: readonly Version[]
}

/** The different contents of one name, the newest first. */
export function contentsOf(versions: readonly Version[]): SharedContent[] {
  const [only] = versions
  if (only === undefined) return []
  if (versions.length === 1) return [{ shown: only, versions }]
  const byContent = new Map<string, Version[]>()
  for (const version of versions.toSorted(compareVersions).reverse()) {
    const key = contentKeyOf(version)
    const others = byContent.get(key)
    if (others === undefined) byContent.set(key, [version])
    else others.push(version)
  }
  return [...byContent.values()].map((same) => ({ shown: same[0] as Version, versions: same }))
}

/** What a change of the content replaces: the dots of every version that has it. */
export function dotsOf({ shown, versions }: SharedContent): Dots {
  if (versions.length === 1) return shown.dots
  return versions.map(({ dots }) => dots).reduce(joinVectors)
}

/** Newest last: by time, then by dot; what still ties was moved together with its directory, and goes by its bytes. */
function compareVersions(a: Version, b: Version): number {
  if (a.mtimeMs !== b.mtimeMs) return a.mtimeMs - b.mtimeMs
  const dotA = greatestDot(a.dots)
  const dotB = greatestDot(b.dots)
  const order = dotA === undefined || dotB === undefined ? 0 : compareDots(dotA, dotB)
  return order === 0 ? compareBytes(bareBytes(a), bareBytes(b)) : order
}

/** Tells two entries of one name apart in everything but their dots. */
export function identityOf(entry: Entry): string {
  return entry.kind === 'directory' ? 'directory' : toHex(bareBytes(entry))
}

/** Whether two versions are equal in everything but their dots. */
export function equalVersions(a: Version, b: Version): boolean {
  if (a === b) return true
  // The usual case, without encoding either.
  if (a.kind !== b.kind || a.mtimeMs !== b.mtimeMs || a.device !== b.device) return false
  if (a.kind === 'file' && b.kind === 'file' && !a.extension && !b.extension) {
    return (
      a.name === b.name &&
      a.sizeBytes === b.sizeBytes &&
      a.isExecutable === b.isExecutable &&
      equalBytes(a.reference.key, b.reference.key)
    )
  }
  return equalBytes(bareBytes(a), bareBytes(b))
}

/** Whether two versions of a name are shown as one. */
export function areSameContent(a: Version, b: Version): boolean {
  return contentKeyOf(a) === contentKeyOf(b)
}

function contentKeyOf(version: Version): string {
  switch (version.kind) {
    case 'file':
      // Equal keys are equal frames; the id follows from how a frame was coded, too.
      return `file ${toHex(version.reference.key)} ${version.sizeBytes}`
    case 'literal':
      return `literal ${toHex(version.bytes)}`
    case 'symlink':
      return `symlink ${version.target}`
    case 'linked-folder':
    case 'linked-file':
      return `${version.kind} ${toHex(version.slot)}`
  }
}
