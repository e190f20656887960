import { parseArgs } from 'node:util'
import { withUsage } from './usage.ts'

interface Played {
  /** Sentences; empty if every promise was kept. */
  readonly violations: readonly string[]
  /** What happened, a line a step. */
  readonly story: readonly string[]
  /** Conflict copies that were shown. */
  readonly conflicts: number
}

/**
 * The command line of a simulation of one folder: `npm run SCRIPT -- --seed N` plays one seed again and tells its story,
 * `--seeds M` that many from `--from` on; `--bail` ends at the first that fails.
 */
export async function playSeeds(
  script: string,
  play: (seed: number) => Promise<Played>,
  options = '',
): Promise<void> {
  const { values } = withUsage(usageOf(script), () =>
    parseArgs({
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string', default: '1000' },
        from: { type: 'string', default: '1' },
        bail: { type: 'boolean', default: false },
      },
    }),
  )
  const first = Number(values.seed ?? values.from)
  const count = values.seed === undefined ? Number(values.seeds) : 1
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
    console.error(`Seeds are whole numbers: npm run ${script} -- --from 1 --seeds 1000`)
    process.exitCode = 64
    return
  }
  let failed = 0
  let conflicts = 0
  for (let seed = first; seed < first + count; seed++) {
    const result = await play(seed)
    conflicts += result.conflicts
    if (values.seed !== undefined) for (const line of result.story) console.log(line)
    if (result.violations.length === 0) continue
    failed++
    console.log(
      `Seed ${seed} failed. Play it again with: npm run ${script} -- ${options}--seed ${seed}`,
    )
    for (const violation of result.violations) console.log(`  ${violation}`)
    if (values.bail) break
  }
  console.log(`${conflicts} conflict copies were shown and were the same to everyone.`)
  console.log(`${count - failed} of ${count} seeds kept every promise.`)
  if (failed > 0) process.exitCode = 1
}

function usageOf(script: string): string {
  const engine = script === 'simulate-sync' ? '[--engine] ' : ''
  return [
    `npm run ${script} -- ${engine}[--seed N | --seeds M --from N] [--bail]`,
    '',
    ...(engine === '' ? [] : ['  --engine   the whole sync engine, over simulated disks']),
    '  --seed N   plays one again and tells its story',
    '  --seeds M  so many (default: 1000), from --from N on (default: 1)',
    '  --bail     ends at the first seed that fails',
  ].join('\n')
}
