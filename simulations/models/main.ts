import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { alternatives } from '../durability/alternatives.ts'
import { households } from '../durability/households.ts'
import { patience } from '../durability/patience.ts'
import { placementGroups } from '../durability/groups.ts'
import { repairWaits } from '../durability/repair-waits.ts'
import { uptimes } from '../durability/uptimes.ts'
import { findCosts, findTraffic } from '../scale/scale.ts'
import { SeededRandomness } from '../randomness.ts'
import { withUsage } from '../usage.ts'
import { drawChart } from './chart.ts'
import { withTables } from './page.ts'
import { formatTable, type Findings, type Table } from './table.ts'

const USAGE = `npm run model -- durability|scale [--seed N] [--only X] [--quick] [--out DIR]

Computes the tables and plots of docs/durability.md or docs/scale.md.
  --seed N   another course of chance (default: 1)
  --only X   one part of it: repair waits, uptimes, households, alternatives, groups, patience; costs, scale
  --quick    a tenth of the samples: shows that it works
  --out DIR  where the page and its plots go (default: docs)`

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

interface Part {
  readonly name: string
  readonly find: (randomness: SeededRandomness, effort: number) => Findings | Promise<Findings>
}

const MODELS: Readonly<Record<string, readonly Part[]>> = {
  durability: [
    { name: 'repair waits', find: (randomness, effort) => repairWaits(randomness, 8_000 * effort) },
    { name: 'uptimes', find: () => uptimes() },
    { name: 'households', find: (randomness) => households(randomness) },
    { name: 'alternatives', find: () => ({ charts: new Map(), tables: [alternatives()] }) },
    { name: 'groups', find: (randomness, effort) => placementGroups(randomness, 2_000 * effort) },
    { name: 'patience', find: (randomness, effort) => patience(randomness, 20 * effort) },
  ],
  scale: [
    { name: 'costs', find: (randomness) => findCosts(cpuMs, randomness) },
    { name: 'scale', find: (randomness, effort) => findTraffic(randomness, effort) },
  ],
}

/** Computes a model's tables, which it prints and puts into its page, and draws its plots. */
async function main(): Promise<void> {
  const { values, positionals } = withUsage(USAGE, () =>
    parseArgs({
      allowPositionals: true,
      options: {
        seed: { type: 'string', default: '1' },
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        out: { type: 'string', default: 'docs' },
      },
    }),
  )
  const parts = MODELS[positionals[0] ?? '']?.filter(
    ({ name }) => values.only === undefined || values.only === name,
  )
  if (parts === undefined || parts.length === 0 || positionals.length !== 1) {
    console.error(USAGE)
    process.exitCode = 64
    return
  }
  await mkdir(join(values.out, 'plots'), { recursive: true })
  const all: Table[] = []
  for (const { name, find } of parts) {
    const randomness = new SeededRandomness(`${values.seed}/${name}`)
    const { charts, tables } = await find(randomness, values.quick ? 0.1 : 1)
    all.push(...tables)
    for (const table of tables) console.log(`\n${table.title}\n\n${formatTable(table)}`)
    for (const [file, chart] of charts) {
      await writeFile(join(values.out, 'plots', `${file}.svg`), drawChart(chart))
    }
  }
  const page = `${positionals[0]}.md`
  const text = await readFile(join('docs', page), 'utf8')
  await writeFile(join(values.out, page), withTables(text, all))
}

await main()
