import { concatBytes, equalBytes, toHex } from '../../src/foundation/bytes.ts'
import { formatPath } from '../../src/folders/names.ts'
import type { Shown } from '../../src/folders/read.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import type { OpenedRecord } from '../../src/grid/slots/seal.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../src/protocol/slot-key.ts'
import { copiesIn, type Draft, type Element } from '../merge/oracle.ts'
import { directoriesOf } from '../merge/scenario.ts'
import { Violation } from './deed.ts'
import { FolderLedger } from './ledger.ts'
import { Contents, differenceOf, linesExpected, linesShown } from './shown.ts'

/** Compares what devices are shown of one folder with what its ledger says. */
export class FolderJudge {
  readonly ledger = new FolderLedger()
  readonly contents: Contents

  constructor(contents: Contents) {
    this.contents = contents
  }

  /** What a view of these states must show, once it has been seen to show it. @throws Violation */
  async compare(view: FolderView, heads: readonly OpenedRecord[]): Promise<Element[]> {
    const visible = this.ledger.visible(heads)
    await this.compareWith(view, [visible], 'a view')
    return visible
  }

  /**
   * @param possible what it must show, one of several
   * @param what is shown, for who reads of it
   * @throws Violation
   */
  async compareWith(
    view: FolderView,
    possible: readonly (readonly Draft[])[],
    what: string,
  ): Promise<void> {
    const shown = await linesShown(view, this.contents)
    const differences = possible.map((elements) => differenceOf(shown, linesExpected(elements)))
    if (differences.includes(undefined)) return
    throw new Violation(`${what} ${differences[0] ?? 'was shown, and there was nothing'}`)
  }

  /** Equal for equal folders: by the root where there is one, else by what is shown. */
  async digestOf(view: FolderView, heads: readonly OpenedRecord[]): Promise<string> {
    const [head, ...others] = heads
    const root = head?.contents.root
    if (root !== undefined && others.length === 0) return toHex(root.id)
    return (await linesShown(view, this.contents)).join('\n')
  }

  /** Reads every file of the folder itself, and compares each byte. @throws Violation */
  async readAll(view: FolderView): Promise<void> {
    for await (const shown of view.walk([])) {
      const { kind } = shown.entry
      if (kind !== 'directory' && kind !== 'linked-folder') await this.readFile(view, shown)
    }
  }

  /** Reads a file by its path, and compares each byte. @throws Violation */
  async readFile(
    view: FolderView,
    { path, entry }: Shown & { readonly path: Parameters<FolderView['stat']>[0] },
  ): Promise<void> {
    const parts: Uint8Array[] = []
    const { chunks } = await view.readFile(path)
    for await (const chunk of chunks) parts.push(chunk)
    const text = this.contents.textOf(entry)
    if (!equalBytes(concatBytes(parts), this.contents.bytesOf(text))) {
      throw new Violation(`${formatPath(path)} was read wrong`)
    }
  }
}

/** The judges of all folders, each there as soon as its folder is heard of. */
export class FolderJudges {
  readonly contents = new Contents()
  readonly #judges = new Map<SlotKeyHex, FolderJudge>()

  of(slot: SlotKey): FolderJudge {
    return this.named(slotKeyHex(slot))
  }

  named(slot: SlotKeyHex): FolderJudge {
    let judge = this.#judges.get(slot)
    if (judge === undefined) this.#judges.set(slot, (judge = new FolderJudge(this.contents)))
    return judge
  }
}

/** Conflict copies, by the paths that they are shown at. */
export function copiesShown(visible: readonly Draft[]): string[] {
  return directoriesOf(visible).flatMap((path) => Array.from(copiesIn(visible, path).keys()))
}

export function hasConflict(visible: readonly Draft[]): boolean {
  return copiesShown(visible).length > 0
}
