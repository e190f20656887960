import { parseArgs } from 'node:util'
import { playCare } from './care/scenario.ts'
import { playFolders } from './folders/scenario.ts'
import { playScenario, type ScenarioResult } from './scenario.ts'
import { withUsage } from './usage.ts'

const USAGE = `npm run simulate -- [--folders|--care] [--seed N | --seeds M --from N] [--twice] [--verbose] [--bail]

Plays scenarios over a simulated network, clock and disks: uploads and downloads, or with
  --folders  devices that change one folder
  --care     two months of maintenance
  --seed N   one of them again
  --seeds M  so many (default: 200), from --from N on (default: 1)
  --twice    each twice, to see that it replays
  --verbose  prints all that happens
  --bail     ends at the first seed that fails`

/** Plays scenarios, as the usage above says. */
async function main(): Promise<void> {
  const { values } = withUsage(USAGE, () =>
    parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string', default: '200' },
        from: { type: 'string', default: '1' },
        twice: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        folders: { type: 'boolean', default: false },
        care: { type: 'boolean', default: false },
        bail: { type: 'boolean', default: false },
      },
    }),
  )
  const first = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
    console.error('Seeds are whole numbers: npm run simulate -- --from 1 --seeds 200')
    process.exitCode = 64
    return
  }
  const totals = new Map<string, number>()
  let failed = 0
  for (let seed = first; seed < first + count; seed++) {
    const result = await play(seed, values)
    for (const [name, times] of result.outcomes) totals.set(name, (totals.get(name) ?? 0) + times)
    if (result.violations.length === 0) continue
    failed++
    report(result, values)
    if (values.bail) break
  }
  for (const [name, times] of [...totals].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`${String(times).padStart(8)}  ${name}`)
  }
  console.log(`${count - failed} of ${count} seeds kept every promise.`)
  if (failed > 0) process.exitCode = 1
}

async function play(
  seed: number,
  {
    verbose,
    twice,
    folders,
    care,
  }: { verbose: boolean; twice: boolean; folders: boolean; care: boolean },
): Promise<ScenarioResult> {
  const playOnce = care ? playCare : folders ? playFolders : playScenario
  const print = verbose ? { print: (line: string) => process.stdout.write(line) } : {}
  const result = await playOnce(seed, print)
  if (!twice) return result
  const again = await playOnce(seed)
  if (again.digest === result.digest) return result
  return { ...result, violations: [...result.violations, 'does not replay: other events'] }
}

function report(
  { seed, violations }: ScenarioResult,
  { folders, care }: { folders: boolean; care: boolean },
): void {
  const what = care ? '--care ' : folders ? '--folders ' : ''
  console.log(
    `Seed ${seed} failed. Play it again with: npm run simulate -- ${what}--seed ${seed} --verbose`,
  )
  for (const violation of violations) console.log(`  ${violation}`)
}

await main()
