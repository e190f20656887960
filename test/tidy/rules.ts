import { importsOf, isRelative, withoutComments } from './imports.ts'
import type { Source } from './sources.ts'

/** The flaws that a rule finds in one file, a sentence each. */
export type Rule = (source: Source) => string[]

/** Ways to the machine's own time, timers and chance. */
const AMBIENT: readonly RegExp[] = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /(?<![.\w]|new )Date\(\s*\)/,
  /\bperformance\.\w+/,
  /\bhrtime\b/,
  /\bMath\.random\b/,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\bAbortSignal\.timeout\b/,
  /\bAtomics\.wait/,
  /\b(randomBytes|randomInt|randomUUID|randomFill|randomFillSync|getRandomValues)\b/,
  /['"](node:)?(timers|timers\/promises|perf_hooks)['"]/,
]

/** The one place that gives the program its time and chance. */
const SYSTEM = 'src/foundation/system.ts'

/** Files that may do one such thing, and why. */
const EXEMPT: Readonly<Record<string, RegExp | undefined>> = {
  // The simulated clock itself: lets promises settle between two of its own timers.
  'simulations/clock.ts': /\bsetImmediate\b/,
  // Gathers what one turn of the event loop has to send; the simulated network takes the place of the whole folder.
  'src/network/frame-writer.ts': /\bsetImmediate\b/,
  // Hears of garbage collections there, and takes no time.
  'src/cli/heap-growth.ts': /'node:perf_hooks'/,
}

/** Time and chance are parameters, or the simulations would not run the real code. */
export const noAmbientTimeOrChance: Rule = ({ path, text }) => {
  const isCovered = path.startsWith('src/') || path.startsWith('simulations/')
  if (!isCovered || path === SYSTEM) return []
  const exempt = EXEMPT[path]
  return linesOf(withoutComments(text)).flatMap(({ line, number }) => {
    const rest = exempt === undefined ? line : line.replace(exempt, '')
    const isAmbient = AMBIENT.some((way) => way.test(rest))
    return isAmbient ? [`${path}:${number} takes time or chance: ${line.trim()}`] : []
  })
}

/** Lines of code, prose and blanks together, that someone can still take in as one thing. */
export const MAX_LINES = 350

export const noLongFile: Rule = ({ path, text }) => {
  const lines = text.split('\n').length - 1
  return lines > MAX_LINES ? [`${path} has ${lines} lines, more than ${MAX_LINES}`] : []
}

/** The one place that makes directories with those above them. */
const DIRECTORIES = 'src/foundation/directories.ts'

/** Node's recursive mkdir never ends where the parent takes no directories. */
export const noRecursiveMkdir: Rule = ({ path, text }) => {
  const isCovered = path.startsWith('src/') && path !== DIRECTORIES
  const calls = isCovered
    ? withoutComments(text).matchAll(/\bmkdir(Sync)?\(([^()]|\([^()]*\))*?\brecursive\b/g)
    : []
  return [...calls].map(() => `${path} makes directories without makeDirectories`)
}

/** A test that does not run, or lets others not run, says nothing while it looks as if it did. */
export const noSkippedTest: Rule = ({ path, text }) => {
  // Contracts are run by several implementations, and some tests are about what only one of them does.
  const always =
    /\b(it|test|describe|suite|bench)(\.\w+)*\.(skip|only|todo|skipIf|fails)\b|\bx(it|describe)\(/
  const conditional = /\b(it|test|describe|suite|bench)(\.\w+)*\.runIf\b/
  return linesOf(withoutComments(text)).flatMap(({ line, number }) =>
    always.test(line) || (conditional.test(line) && !path.startsWith('test/contracts/'))
      ? [`${path}:${number} has a test that may not run: ${line.trim()}`]
      : [],
  )
}

/** What is to be done stands where people look for it, not in the code. */
export const noLooseEnd: Rule = ({ path, text }) =>
  linesOf(text).flatMap(({ line, number }) =>
    LOOSE_END.test(line) ? [`${path}:${number} leaves something to do`] : [],
  )

/** Node runs the sources as they are, and it takes no import without its ending. */
export const importsEndInTs: Rule = (source) =>
  importsOf(source)
    .filter((specifier) => isRelative(specifier) && !/\.(ts|json)$/.test(specifier))
    .map((specifier) => `${source.path} imports ${specifier}, which does not end in .ts`)

/** The package's entry, which says why it is one. */
const ENTRY = 'src/library/index.ts'

/** What is imported comes from where it is declared: a file that only passes names on hides who depends on whom. */
export const noBarrel: Rule = ({ path, text }) => {
  const code = withoutComments(text)
  const passedOn = /^export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'\.[^']*';?$/gm
  const isBarrel = passedOn.test(code) && code.replaceAll(passedOn, '').trim() === ''
  return isBarrel && path !== ENTRY ? [`${path} only passes on what others declare`] : []
}

// Written so that this line is none itself.
const LOOSE_END = /\b(TO[D]O|FIX[M]E)\b/

/** Folders of test/ that are not about one folder of src/. */
const OF_NO_ONE_FOLDER: ReadonlySet<string> = new Set([
  'contracts',
  'end-to-end',
  'sync-long',
  'nat',
  'simulations',
  'support',
  'tidy',
  'vectors',
])

/** Whoever knows a folder of src/ knows where its tests are. */
export function strayTestFolders(
  testFolders: readonly string[],
  sourceFolders: readonly string[],
): string[] {
  const mirrored = new Set(sourceFolders.map((folder) => folder.replace(/^src\//, 'test/')))
  return testFolders
    .filter((folder) => !OF_NO_ONE_FOLDER.has(folder.split('/')[1] ?? ''))
    .filter((folder) => !mirrored.has(folder))
    .map((folder) => `${folder} mirrors no folder of src/`)
}

function linesOf(text: string): { line: string; number: number }[] {
  return text.split('\n').map((line, at) => ({ line, number: at + 1 }))
}
