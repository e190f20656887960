import type { ErasureBenchRow } from './erasure.ts'
import type { Machine } from './machine.ts'
import type { BenchOptions } from './options.ts'
import type { NetworkRow } from './network/row.ts'
import type { Primitives } from './primitives.ts'
import type { Row, Verdict } from './row.ts'
import type { SealingResult } from './sealing.ts'
import { judgeErasure } from './targets.ts'
import {
  formatErasure,
  formatNetwork,
  formatPrimitives,
  formatRow,
  formatRows,
  formatSealing,
} from './table.ts'

/** Everything one run finds out, as `--json` prints it. Seconds, bytes, and bytes a second times 10⁻⁶ (MB/s). */
interface Results {
  machine: Machine
  quick: boolean
  primitives?: { large: Primitives; small: Primitives }
  rows: Row[]
  network: NetworkRow[]
  erasure?: { rows: ErasureBenchRow[]; targets: Verdict[] }
  sealing?: SealingResult[]
}

/** Collects results; for people it prints tables, and on standard error each row as soon as it is known. */
export class Report {
  readonly #isJson: boolean
  readonly #results: Results

  constructor({ json, quick }: BenchOptions, machine: Machine) {
    this.#isJson = json
    this.#results = { machine, quick, rows: [], network: [] }
    this.#print(describe(machine))
    if (quick)
      this.#print('Quick: small files and single runs. These figures are not to be quoted.')
  }

  primitives(primitives: { large: Primitives; small: Primitives }): void {
    this.#results.primitives = primitives
    this.#print(formatPrimitives(primitives))
  }

  row(row: Row): void {
    this.#results.rows.push(row)
    const [name, , wall] = formatRow(row)
    console.error(`${name}: ${wall} s`)
  }

  network(row: NetworkRow): void {
    this.#results.network.push(row)
  }

  erasure(rows: ErasureBenchRow[]): void {
    this.#results.erasure = { rows, targets: this.#results.quick ? [] : judgeErasure(rows) }
  }

  sealing(results: SealingResult[]): void {
    this.#results.sealing = results
  }

  finish(): void {
    const { rows, network, erasure, sealing } = this.#results
    if (this.#isJson) {
      console.log(JSON.stringify(this.#results, undefined, 2))
      return
    }
    if (rows.length > 0) this.#print(formatRows(rows))
    if (network.length > 0) this.#print(formatNetwork(network))
    if (erasure !== undefined) this.#print(formatErasure(erasure.rows, erasure.targets))
    if (sealing !== undefined) this.#print(formatSealing(sealing))
  }

  #print(text: string): void {
    if (!this.#isJson) console.log(`${text}\n`)
  }
}

function describe(machine: Machine): string {
  const { processors, processor, memoryBytes, system, node, openssl, erasureEngine } = machine
  const lines = [
    `${processors} processors (${processor}), ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}`,
    `Node ${node}, OpenSSL ${openssl}, ${erasureEngine} erasure code; all nodes on this machine`,
  ]
  if (machine.isDiskInMemory) {
    lines.push(
      'The grid is on a disk in memory, where durable writes cost nothing: choose another --dir.',
    )
  }
  return lines.join('\n')
}
