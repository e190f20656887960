import { join } from 'node:path'
import { concatBytes } from '../../../foundation/bytes.ts'
import { describingFailures } from '../../../foundation/system-failure.ts'
import {
  IGNORE_FILE,
  LOCAL_IGNORE_FILE,
  selectPaths,
  type ChosenPaths,
  type Selection,
} from '../selection.ts'
import { unlessGone } from './careful.ts'
import type { FileSystem } from './file-system.ts'

/** More rules than anybody writes. */
const MAX_RULE_BYTES = 1024 * 1024

/** Rules, and what they were read from. */
export interface ReadSelection {
  readonly source: string
  readonly selection: Selection
}

/**
 * What a directory is to have, by its rules and its user's choice.
 * @throws SystemFailureError: its rules are there and cannot be read, so that nothing is known of what they leave out
 */
export async function readSelection(
  files: FileSystem,
  root: string,
  { chosen, last }: { readonly chosen: ChosenPaths; readonly last?: ReadSelection | undefined },
): Promise<ReadSelection> {
  const rules: string[] = []
  for (const name of [IGNORE_FILE, LOCAL_IGNORE_FILE]) {
    const at = join(root, name)
    rules.push(await describingFailures(`The file ${at}`, async () => await textAt(files, at)))
  }
  const source = JSON.stringify([rules, chosen])
  return last?.source === source ? last : { source, selection: selectPaths(rules, chosen) }
}

async function textAt(files: FileSystem, at: string): Promise<string> {
  const file = await unlessGone(files.open(at))
  if (file === undefined) return ''
  try {
    if (!(await file.stat()).isFile()) return ''
    const parts: Uint8Array[] = []
    for (let bytes = 0; bytes < MAX_RULE_BYTES;) {
      const part = new Uint8Array(65_536)
      const length = await file.read(part)
      if (length === 0) break
      parts.push(part.subarray(0, length))
      bytes += length
    }
    return Buffer.from(concatBytes(parts)).toString('utf8')
  } finally {
    await file.close()
  }
}
