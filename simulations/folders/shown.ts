import { toHex } from '../../src/foundation/bytes.ts'
import { slotKeyHex, type SlotKey } from '../../src/protocol/slot-key.ts'
import type { Entry } from '../../src/folders/entry.ts'
import type { NewVersion } from '../../src/folders/commit/edits.ts'
import { formatPath, type Path } from '../../src/folders/names.ts'
import type { Shown } from '../../src/folders/read.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import { SeededRandomness } from '../randomness.ts'
import { copiesIn, nameAt, type Data, type Draft } from '../merge/oracle.ts'
import { directoriesOf } from '../merge/scenario.ts'

/** Contents by short texts that stand for them: `name size`. */
export class Contents {
  readonly #texts = new Map<string, string>()

  bytesOf(text: string): Uint8Array {
    const size = Number(text.split(' ')[1])
    return new SeededRandomness(`content ${text}`).bytes(size)
  }

  /** Notes that a content was stored as this. */
  remember(text: string, version: NewVersion): void {
    this.#texts.set(keyOf(version), text)
  }

  /** The text of what an entry holds, or words that are no text. */
  textOf(entry: Entry): string {
    if (entry.kind === 'linked-folder') return linkText(entry.slot)
    const text = this.#texts.get(keyOf(entry))
    if (text === undefined) return `something unknown (${entry.kind})`
    const isOfSize = entry.kind !== 'file' || entry.sizeBytes === this.bytesOf(text).length
    return isOfSize ? text : `${text} of the wrong size`
  }
}

/** What stands for a link to a folder. */
export function linkText(slot: SlotKey): string {
  return `${LINK}${slotKeyHex(slot)}`
}

export function isLink(data: Data | undefined): boolean {
  return data?.text.startsWith(LINK) === true
}

const LINK = 'folder '

/** All that a folder shows, a line each, sorted. */
export async function linesShown(view: FolderView, contents: Contents): Promise<string[]> {
  const lines: string[] = []
  for await (const shown of view.walk([])) lines.push(lineShown(shown, contents, shown.path))
  return lines.sort()
}

/** @param path where it is shown, from wherever the lines are told */
export function lineShown({ entry, copyOf }: Shown, contents: Contents, path: Path): string {
  const data = entry.kind === 'directory' ? undefined : { ...entry, text: contents.textOf(entry) }
  return lineOf(formatPath(path), data, copyOf !== undefined)
}

/** The lines of what the oracle says is there. */
export function linesExpected(elements: readonly Draft[]): string[] {
  const lines: string[] = []
  for (const directory of directoriesOf(elements)) {
    if (directory !== '') lines.push(lineOf(directory, undefined, false))
    for (const [path, { data }] of copiesIn(elements, directory))
      lines.push(lineOf(path, data, true))
  }
  const files = elements.flatMap(({ path, data }) => (data === undefined ? [] : [path]))
  for (const path of new Set(files)) {
    const { contents, isDirectory } = nameAt(elements, path)
    if (!isDirectory) lines.push(lineOf(path, contents[0]?.data, false))
  }
  return lines.sort()
}

/** What is in one of two lists only, in a few words; undefined if they are equal. */
export function differenceOf(
  actual: readonly string[],
  expected: readonly string[],
): string | undefined {
  const lacking = expected.filter((line) => !actual.includes(line))
  const excess = actual.filter((line) => !expected.includes(line))
  if (lacking.length + excess.length === 0 && actual.length === expected.length) return undefined
  return `lacks [${lacking.join('; ')}] and shows [${excess.join('; ')}]`
}

function lineOf(path: string, data: Data | undefined, isCopy: boolean): string {
  if (data === undefined) return `${path}/`
  const { text, mtimeMs, device } = data
  return `${path}${isCopy ? ' (a copy)' : ''}: ${text} of ${mtimeMs} by ${device}`
}

function keyOf(version: NewVersion | Entry): string {
  if (version.kind === 'file') return `file ${toHex(version.reference.key)}`
  return version.kind === 'literal' ? `literal ${toHex(version.bytes)}` : version.kind
}
