import type { FolderSuite } from './folder-suite.ts'
import type { Row } from './row.ts'
import { NODES_LOST, type FolderScale, type Scale } from './scale.ts'
import { IDLE_MS, type Suite } from './suite.ts'
import type { TreeSuite } from './tree-suite.ts'

/** The rows there are, in the order that leaves each what it needs: the one that empties nodes comes last. */
export function rowsAt(scale: Scale): NamedRow[] {
  const { fileBytes, largeFileBytes, smallFiles } = scale
  const size = sizeName(fileBytes)
  const small = `PUT ${inWords(smallFiles)} files of 4 KiB`
  return [
    row('hayloft --version', (suite, name) => suite.version(name)),
    row(`idle for ${IDLE_MS / 1000} s`, (suite, name) => suite.idle(name)),
    ...transfers(fileBytes),
    row(`range 1 KiB of ${size}, command`, (suite, name) => suite.range(name)),
    row(`range 1 KiB of ${size}, connected`, (suite, name) => suite.connectedRange(name)),
    row(small, (suite, name) => suite.putSmall(name)),
    ...folderRows(scale.folder),
    ...transfers(largeFileBytes),
    ...(['before', 'during'] as const).flatMap((when) => [
      row(`PUT ${size}, node frozen ${when}`, (suite, name) => suite.frozenPut(name, when)),
      row(`GET ${size}, node frozen ${when}`, (suite, name) => suite.frozenGet(name, when)),
    ]),
    row(`repair ${size}, ${NODES_LOST} shares lost`, (suite, name) => suite.repair(name)),
  ]
}

export interface NamedRow {
  readonly name: string
  readonly measure: (suites: Suites) => Promise<Row>
}

export interface Suites {
  readonly files: Suite
  readonly folders: FolderSuite
  readonly trees: TreeSuite
}

function folderRows({
  entries,
  manyEntries,
  treeFiles,
  overwrites,
  overwritesBefore,
  created,
  changes,
}: FolderScale): NamedRow[] {
  const counts = (many: number): { entries: number; writes: number } => ({
    entries: many,
    writes: changes,
  })
  return [
    ...[0, overwritesBefore].flatMap((others) => {
      const after = others === 0 ? '' : `, after ${inWords(others)} others`
      const writes = { writes: overwrites, others }
      return [
        folderRow(`${overwrites} overwrites of a mutable file of 1 KiB${after}`, (suite, name) =>
          suite.overwriteMutable(name, writes),
        ),
        folderRow(
          `${overwrites} overwrites of 1 KiB in a folder of ${inWords(entries)}${after}`,
          (suite, name) => suite.overwriteInFolder(name, { entries, ...writes }),
        ),
      ]
    }),
    ...[entries, manyEntries].flatMap((many) => [
      folderRow(`add 1 KiB to a folder of ${inWords(many)}`, (suite, name) =>
        suite.add(name, counts(many)),
      ),
      folderRow(`list a folder of ${inWords(many)}`, (suite, name) => suite.list(name, many)),
    ]),
    folderRow(`rename a directory of ${inWords(treeFiles)}`, (suite, name) =>
      suite.rename(name, counts(treeFiles)),
    ),
    folderRow(`create ${created} folders`, (suite, name) => suite.create(name, 'folders', created)),
    folderRow(`create ${created} mutable files`, (suite, name) =>
      suite.create(name, 'files', created),
    ),
    ...treeRows(treeFiles),
    ...treeRows(entries),
  ]
}

function treeRows(files: number): NamedRow[] {
  const tree = `${inWords(files)} files of 4 KiB`
  return [
    treeRow(`put -r ${tree}`, (suite, name) => suite.put(name, files)),
    treeRow(`put -r ${tree}, unchanged`, (suite, name) => suite.putAgain(name, files)),
    treeRow(`get -r ${tree}`, (suite, name) => suite.get(name, files)),
    treeRow(`check -r ${tree}`, (suite, name) => suite.check(name, files, 'none')),
    treeRow(`check -r ${tree}, beside a daemon`, (suite, name) =>
      suite.besideDaemon(() => suite.check(name, files, 'none')),
    ),
    treeRow(`check -r --verify ${tree}`, (suite, name) => suite.check(name, files, 'full')),
  ]
}

function transfers(bytes: number): NamedRow[] {
  const size = sizeName(bytes)
  return [
    row(`PUT ${size}`, (suite, name) => suite.put(name, bytes)),
    row(`GET ${size}`, (suite, name) => suite.get(name, bytes)),
    row(`re-PUT ${size}, unchanged`, (suite, name) => suite.putAgain(name, bytes)),
  ]
}

function row(name: string, measure: (suite: Suite, name: string) => Promise<Row>): NamedRow {
  return { name, measure: ({ files }) => measure(files, name) }
}

function folderRow(
  name: string,
  measure: (suite: FolderSuite, name: string) => Promise<Row>,
): NamedRow {
  return { name, measure: ({ folders }) => measure(folders, name) }
}

function treeRow(
  name: string,
  measure: (suite: TreeSuite, name: string) => Promise<Row>,
): NamedRow {
  return { name, measure: ({ trees }) => measure(trees, name) }
}

function inWords(count: number): string {
  return count.toLocaleString('en-US')
}

function sizeName(bytes: number): string {
  return bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : `${bytes / 2 ** 20} MiB`
}
