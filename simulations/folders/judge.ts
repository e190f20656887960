import { concatBytes, equalBytes, toHex } from '../../src/foundation/bytes.ts'
import type { FolderView } from '../../src/folders/service/view.ts'
import type { OpenedRecord } from '../../src/grid/slots/seal.ts'
import { copiesIn, type Element } from '../merge/oracle.ts'
import { directoriesOf } from '../merge/scenario.ts'
import { FolderLedger } from './ledger.ts'
import { Violation } from './observer.ts'
import { Contents, differenceOf, linesExpected, linesShown } from './shown.ts'

/** Compares what devices are shown with what the ledger says. */
export class FolderJudge {
  readonly ledger = new FolderLedger()
  readonly contents = new Contents()

  /** What a view of these states must show, once it has been seen to show it. @throws Violation */
  async compare(view: FolderView, heads: readonly OpenedRecord[]): Promise<Element[]> {
    const visible = this.ledger.visible(heads)
    const shown = await linesShown(view, this.contents)
    const difference = differenceOf(shown, linesExpected(visible))
    if (difference !== undefined) throw new Violation(`a view ${difference}`)
    return visible
  }

  /** Equal for equal folders: by the root where there is one, else by what is shown. */
  async digestOf(view: FolderView, heads: readonly OpenedRecord[]): Promise<string> {
    const [head, ...others] = heads
    const root = head?.contents.root
    if (root !== undefined && others.length === 0) return toHex(root.id)
    return (await linesShown(view, this.contents)).join('\n')
  }

  /** Reads every file, and compares each byte. @throws Violation */
  async readAll(view: FolderView): Promise<void> {
    for await (const shown of view.walk([])) {
      if (shown.entry.kind === 'directory') continue
      const parts: Uint8Array[] = []
      const { chunks } = await view.readFile(shown.path)
      for await (const chunk of chunks) parts.push(chunk)
      const text = this.contents.textOf(shown.entry)
      if (!equalBytes(concatBytes(parts), this.contents.bytesOf(text))) {
        throw new Violation(`${shown.path.join('/')} was read wrong`)
      }
    }
  }
}

export function hasConflict(visible: readonly Element[]): boolean {
  return directoriesOf(visible).some((path) => copiesIn(visible, path).size > 0)
}
