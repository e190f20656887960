import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CARRIED_MUTANTS, FOLDER_MUTANTS, SLOT_MUTANTS } from './folders/mutants.ts'
import { MERGE_MUTANTS } from './merge/mutants.ts'
import type { Mutant } from './mutant.ts'
import { ENGINE_MUTANTS, SYNC_MUTANTS } from './sync/mutants.ts'
import { withUsage } from './usage.ts'

const USAGE = `npm run mutants -- [--only WORDS]

Breaks the code in ways that lose or invent data, and shows that tests notice each.
  --only WORDS  those whose name has these words`

/**
 * Breaks the code in ways that lose or invent data, each in a copy of the sources, and runs against each what must
 * notice: `npm run mutants`. A suite that lets one of them pass would let a bug like it pass, too. `--only WORDS` tries
 * those whose name has these words, and takes it for granted that all is well without them.
 */
interface Suite {
  readonly mutants: readonly Mutant[]
  /** Whether all is well in a copy of the sources. @throws if that cannot be told */
  readonly passes: (copy: string) => boolean
}

const MERGE_TESTS = 'test/folders/merge.test.ts'
const SLOT_TESTS = 'test/grid/slots/{siblings,unsettled}.test.ts'
const CARRIED_TESTS = 'test/grid/{mutable/files,slots/past-states}.test.ts'
/** Most mutants fail one of the first seeds. */
const FOLDER_SEEDS = 200
/** Some mutants show only where users meet within a moment. */
const SYNC_SEEDS = 12_000

/** Most mutants fail one of the first hundred. */
const ENGINE_SEEDS = 400
/** Where something meets a change within a moment, which few seeds in a thousand play. */
const ENGINE_TESTS = 'test/gateway/sync/{moments,kept-contents}.test.ts'
/** Of the merge, what only shows as lost files or litter: the engine must notice as well. */
const MERGE_BY_ENGINE = MERGE_MUTANTS.filter(({ name }) =>
  ['last writer wins', 'no clock check: what one side lacks always goes'].includes(name),
)

const SUITES: readonly Suite[] = [
  { mutants: MERGE_MUTANTS, passes: (copy) => passesTests(copy, MERGE_TESTS) },
  { mutants: SLOT_MUTANTS, passes: (copy) => passesTests(copy, SLOT_TESTS) },
  { mutants: CARRIED_MUTANTS, passes: (copy) => passesTests(copy, CARRIED_TESTS) },
  { mutants: SYNC_MUTANTS, passes: passesSyncSeeds },
  { mutants: [...ENGINE_MUTANTS, ...MERGE_BY_ENGINE], passes: passesEngine },
  { mutants: FOLDER_MUTANTS, passes: passesFolderSeeds },
]

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const COPIED = ['src', 'simulations', 'test', 'package.json', 'tsconfig.json']

function main(): void {
  const { values } = withUsage(USAGE, () => parseArgs({ options: { only: { type: 'string' } } }))
  const copy = mkdtempSync(join(tmpdir(), 'hayloft-mutants-'))
  try {
    for (const part of COPIED) cpSync(join(ROOT, part), join(copy, part), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    let count = 0
    let survivors = 0
    for (const { mutants: all, passes } of SUITES) {
      const mutants = all.filter(({ name }) => name.includes(values.only ?? ''))
      if (values.only === undefined && !passes(copy))
        throw new Error('A suite fails without any mutant.')
      count += mutants.length
      survivors += mutants.filter((mutant) => !isCaught(copy, mutant, passes)).length
    }
    console.log(`${count - survivors} of ${count} mutants were caught.`)
    if (survivors > 0 || count === 0) process.exitCode = 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function isCaught(
  copy: string,
  { name, file, right, wrong }: Mutant,
  passes: Suite['passes'],
): boolean {
  const path = join(copy, file)
  const source = readFileSync(path, 'utf8')
  if (source.split(right).length !== 2) {
    throw new Error(`The mutant "${name}" does not fit ${file} any more; find its place anew.`)
  }
  writeFileSync(
    path,
    source.replace(right, () => wrong),
  )
  const caught = !passes(copy)
  writeFileSync(path, source)
  console.log(`${caught ? 'caught  ' : 'SURVIVED'}  ${name}`)
  return caught
}

function passesTests(copy: string, files: string): boolean {
  const config = join(copy, 'vitest.config.ts')
  const options = `include: ['${files}'], testTimeout: 60_000, bail: 1`
  writeFileSync(config, `export default { test: { ${options} } }\n`)
  const vitest = join(copy, 'node_modules', 'vitest', 'vitest.mjs')
  const report = join(copy, 'report.json')
  const args = ['run', '--config', config, '--reporter=json', `--outputFile=${report}`]
  const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: copy, stdio: 'ignore' })
  const result = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>
  if ((result['numPassedTests'] ?? 0) + (result['numFailedTests'] ?? 0) === 0) {
    throw new Error(`${files} did not run.`)
  }
  return status === 0
}

function passesSyncSeeds(copy: string): boolean {
  return passesSeedsOfSync(copy, SYNC_SEEDS)
}

function passesEngine(copy: string): boolean {
  return passesSeedsOfSync(copy, ENGINE_SEEDS, ['--engine']) && passesTests(copy, ENGINE_TESTS)
}

function passesSeedsOfSync(copy: string, count: number, options: readonly string[] = []): boolean {
  const args = ['--import', 'tsx', join(copy, 'simulations', 'sync', 'main.ts'), ...options]
  const seeds = ['--seeds', String(count), '--bail']
  const { stdout } = spawnSync(process.execPath, [...args, ...seeds], {
    encoding: 'utf8',
    cwd: copy,
  })
  if (!stdout.includes('seeds kept every promise')) throw new Error('No seeds were played.')
  return stdout.includes(`${count} of ${count} seeds`)
}

function passesFolderSeeds(copy: string): boolean {
  const simulate = ['--import', 'tsx', join(copy, 'simulations', 'main.ts')]
  const args = [...simulate, '--folders', '--seeds', String(FOLDER_SEEDS), '--bail']
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' })
  if (!stdout.includes('seeds kept every promise')) throw new Error('No seeds were played.')
  return status === 0
}

main()
