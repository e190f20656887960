import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Breaks the merge in ways that lose or invent data, each in a copy of the sources, and runs its tests against each:
 * `npm run mutants`. A test suite that lets one of them pass would let a bug like it pass, too.
 */
interface Mutant {
  readonly name: string
  readonly file: string
  /** Occurs once in the file. */
  readonly right: string
  readonly wrong: string
}

const MUTANTS: readonly Mutant[] = [
  {
    name: 'last writer wins',
    file: 'src/folders/merge.ts',
    right: 'return (await Promise.all(merged)).filter((entry) => entry !== undefined)',
    wrong: `const all = (await Promise.all(merged)).filter((entry) => entry !== undefined)
    const newest = all.filter(({ kind }) => kind !== 'directory').sort((a, b) => b.mtimeMs - a.mtimeMs)[0]
    return all.filter((entry) => entry.kind === 'directory' || entry === newest)`,
  },
  {
    name: 'no clock check: what one side lacks always comes back',
    file: 'src/folders/merge.ts',
    right: 'return !hasSeen || witness.sides.some((at) => sides[at]?.get(tag) === counter)',
    wrong: 'return true',
  },
  {
    name: 'no clock check: what one side lacks always goes',
    file: 'src/folders/merge.ts',
    right: 'return !hasSeen || witness.sides.some((at) => sides[at]?.get(tag) === counter)',
    wrong: 'return witness.sides.some((at) => sides[at]?.get(tag) === counter)',
  },
  {
    name: 'no collapse: equal contents appear as copies',
    file: 'src/folders/versions.ts',
    right: 'const key = contentKeyOf(version)',
    wrong: 'const key = String(byContent.size)',
  },
  {
    name: 'equal entries keep only their greatest dot',
    file: 'src/folders/merge.ts',
    right: 'if (isKept) merged.set(tag, counter)',
    wrong: `if (!isKept) continue
        for (const [other, least] of merged) if (least <= counter) merged.delete(other)
        if (merged.size === 0) merged.set(tag, counter)`,
  },
  {
    name: 'a removed directory takes along what others put into it',
    file: 'src/folders/merge.ts',
    right: 'const content = await this.#directories(sides)',
    wrong: `if (dots.size === 0) return undefined
    const content = await this.#directories(sides)`,
  },
  {
    name: 'a subtree counts as unseen when only its last change is',
    file: 'src/folders/dots.ts',
    right: 'if ((clock.get(tag) ?? 0) >= least) return false',
    wrong: 'if ((clock.get(tag) ?? 0) >= (span.ranges.get(tag)?.greatest ?? least)) return false',
  },
  {
    name: 'what is moved keeps its dots',
    file: 'src/folders/tree/rewrite.ts',
    right: 'const dots = singleDot(stamp)',
    wrong: 'if (stamp !== undefined) return entries\n  const dots = singleDot(stamp)',
  },
]

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const SUITE = 'test/folders/merge.test.ts'
const CONFIG = `export default { test: { include: ['${SUITE}'], testTimeout: 60_000, bail: 1 } }\n`

function main(): void {
  const copy = mkdtempSync(join(tmpdir(), 'hayloft-mutants-'))
  try {
    for (const part of ['src', 'simulations', 'test/folders', 'package.json', 'tsconfig.json']) {
      cpSync(join(ROOT, part), join(copy, part), { recursive: true })
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
    writeFileSync(join(copy, 'vitest.config.ts'), CONFIG)
    if (!passes(copy)) throw new Error(`${SUITE} fails without any mutant`)
    const survivors = MUTANTS.filter((mutant) => !isCaught(copy, mutant))
    console.log(`${MUTANTS.length - survivors.length} of ${MUTANTS.length} mutants were caught.`)
    if (survivors.length > 0) process.exitCode = 1
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function isCaught(copy: string, { name, file, right, wrong }: Mutant): boolean {
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

/** Whether every test passes. @throws if there are none, as when the sources cannot be read at all */
function passes(copy: string): boolean {
  const vitest = join(copy, 'node_modules', 'vitest', 'vitest.mjs')
  const report = join(copy, 'report.json')
  const args = ['run', '--config', 'vitest.config.ts', '--reporter=json', `--outputFile=${report}`]
  const { status } = spawnSync(process.execPath, [vitest, ...args], { cwd: copy, stdio: 'ignore' })
  const result = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>
  if ((result['numPassedTests'] ?? 0) + (result['numFailedTests'] ?? 0) === 0) {
    throw new Error(`${SUITE} did not run`)
  }
  return status === 0
}

main()
