import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { withUsage } from '../simulations/usage.ts'

export interface BenchOptions {
  readonly json: boolean
  /** Small sizes and single runs: whether it works, not how fast it is. */
  readonly quick: boolean
  /** Only rows and sections whose name contains one of these. */
  readonly only: readonly string[]
  /** Where the grid and the files go; a folder of its own is made in it. */
  readonly dir: string
}

const USAGE = `npm run bench -- [--quick] [--only NAME]… [--dir DIR] [--json]

  --quick      small files and single runs: shows that it works, not how fast it is
  --only NAME  only rows whose name contains NAME; also "primitives", "network", "erasure", "sealing".
               May be repeated
  --dir DIR    make the grid in a new folder in DIR (default: ${tmpdir()}); it says which disk is measured
  --json       one JSON document on standard output instead of tables`

export function parseOptions(): BenchOptions {
  const { values } = withUsage(USAGE, () =>
    parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        dir: { type: 'string', default: tmpdir() },
      },
    }),
  )
  return { json: values.json, quick: values.quick, only: values.only, dir: resolve(values.dir) }
}

/** Whether a row or section was asked for. */
export function isWanted(name: string, { only }: Pick<BenchOptions, 'only'>): boolean {
  if (only.length === 0) return true
  return only.some((part) => name.toLowerCase().includes(part.toLowerCase()))
}
