import type { Row } from './row.ts'
import { NODES_LOST, type Scale } from './scale.ts'
import { IDLE_MS, type Suite } from './suite.ts'

/** The rows there are, in the order that leaves each what it needs: the one that empties nodes comes last. */
export function rowsAt(scale: Scale): { name: string; measure: (suite: Suite) => Promise<Row> }[] {
  const { fileBytes, largeFileBytes, smallFiles } = scale
  const size = sizeName(fileBytes)
  const small = `PUT ${smallFiles.toLocaleString('en-US')} files of 4 KiB`
  return [
    row('hayloft --version', (suite, name) => suite.version(name)),
    row(`idle for ${IDLE_MS / 1000} s`, (suite, name) => suite.idle(name)),
    ...transfers(fileBytes),
    row(`range 1 KiB of ${size}, command`, (suite, name) => suite.range(name)),
    row(`range 1 KiB of ${size}, connected`, (suite, name) => suite.connectedRange(name)),
    row(small, (suite, name) => suite.putSmall(name)),
    ...transfers(largeFileBytes),
    ...(['before', 'during'] as const).flatMap((when) => [
      row(`PUT ${size}, node frozen ${when}`, (suite, name) => suite.frozenPut(name, when)),
      row(`GET ${size}, node frozen ${when}`, (suite, name) => suite.frozenGet(name, when)),
    ]),
    row(`repair ${size}, ${NODES_LOST} shares lost`, (suite, name) => suite.repair(name)),
  ]
}

type NamedRow = ReturnType<typeof rowsAt>[number]

function transfers(bytes: number): NamedRow[] {
  const size = sizeName(bytes)
  return [
    row(`PUT ${size}`, (suite, name) => suite.put(name, bytes)),
    row(`GET ${size}`, (suite, name) => suite.get(name, bytes)),
    row(`re-PUT ${size}, unchanged`, (suite, name) => suite.putAgain(name, bytes)),
  ]
}

function row(name: string, measure: (suite: Suite, name: string) => Promise<Row>): NamedRow {
  return { name, measure: (suite) => measure(suite, name) }
}

function sizeName(bytes: number): string {
  return bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GiB` : `${bytes / 2 ** 20} MiB`
}
