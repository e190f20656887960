import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import {
  MAX_NODES,
  startPractice,
  statesOf,
  stopPractice,
  type NodeState,
  type System,
} from '../practice/practice.ts'
import { withPracticeLock } from '../practice/lock.ts'
import { practiceDirectory, requirePractice, type Practice } from '../practice/practice-file.ts'
import { count, type Terminal } from '../terminal.ts'

interface Context {
  readonly terminal: Terminal
  readonly system: System
}

export async function practiceStart(
  request: { readonly dir?: string | undefined; readonly nodes?: string | undefined },
  { terminal, system }: Context,
): Promise<ExitCode> {
  const dir = practiceDirectory(request.dir)
  const nodes = request.nodes === undefined ? undefined : nodeCount(request.nodes)
  const result = await withPracticeLock(
    dir,
    system,
    async () => await startPractice(dir, { nodes, system }),
  )
  if (terminal.json) {
    terminal.value(describePractice(result.practice, result.nodes))
    return EXIT.ok
  }
  const size = count(result.nodes.length, 'node')
  terminal.line(
    result.started === 0
      ? `The practice grid in ${dir} is running already: ${size}.`
      : `The practice grid in ${dir} is running: ${size}, ${result.started} started now, all reachable.`,
  )
  terminal.line('\nTo use it:')
  terminal.line(`  export HAYLOFT_HOME=${quoted(result.practice.client.home)}`)
  terminal.line('  hayloft put FILE')
  return EXIT.ok
}

/** The status tells: all nodes run, some do, none does. */
export async function practiceStatus(
  request: { readonly dir?: string | undefined },
  { terminal }: Context,
): Promise<ExitCode> {
  const practice = await requirePractice(practiceDirectory(request.dir))
  const nodes = await statesOf(practice)
  const running = nodes.filter((node) => node.running !== undefined)
  if (terminal.json) {
    terminal.value({
      ...describePractice(practice, nodes),
      running: running.length,
    })
  } else {
    terminal.line(`${practice.dir}: ${running.length} of ${count(nodes.length, 'node')} running.`)
    for (const { name, running: one } of nodes) {
      const state =
        one === undefined ? 'stopped' : `running  pid ${one.pid}  ${one.addresses[0] ?? ''}`
      terminal.line(`  ${name}  ${state}`)
    }
  }
  if (running.length === nodes.length) return EXIT.ok
  return running.length > 0 ? EXIT.degraded : EXIT.lost
}

export async function practiceStop(
  request: { readonly dir?: string | undefined; readonly names: readonly string[] },
  { terminal, system }: Context,
): Promise<ExitCode> {
  const dir = practiceDirectory(request.dir)
  await requirePractice(dir)
  const { names } = request
  const { practice, stopped } = await withPracticeLock(
    dir,
    system,
    async () => await stopPractice(dir, { names, system }),
  )
  if (terminal.json) terminal.value({ dir, stopped })
  else if (stopped.length === 0) terminal.line('None of these nodes was running.')
  else {
    const isAll = stopped.length === practice.nodes.length
    const which = isAll ? `all ${count(stopped.length, 'node')}` : stopped.join(', ')
    terminal.line(`Stopped ${which}. Their shares stay in ${dir}.`)
  }
  return EXIT.ok
}

function describePractice(practice: Practice, nodes: readonly NodeState[]): object {
  return {
    dir: practice.dir,
    client: { home: practice.client.home },
    nodes: nodes.map(({ name, home, peerId, running }) => ({
      name,
      pid: running?.pid ?? null,
      home,
      peerId,
      addresses: running?.addresses ?? [],
    })),
  }
}

function nodeCount(text: string): number {
  const number = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= MAX_NODES) return number
  throw usageError(`The option --nodes takes a number from 1 to ${MAX_NODES}.`)
}

/** As a shell wants it, where a path holds more than plain characters. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}
