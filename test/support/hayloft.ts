import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How one run of the command line ended and what it said. */
export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly bytes: Buffer
  readonly stderr: string
}

export interface RunOptions {
  readonly home?: string | undefined
  /** What it finds on standard input; nothing by default. */
  readonly stdin?: string | Uint8Array
  /** A command that runs it, such as one that gives it less of the system. */
  readonly within?: readonly string[] | undefined
  /** How far the calendar of its computer is ahead; behind if below zero. */
  readonly aheadMs?: number | undefined
}

const PROGRAM = fileURLToPath(new URL('../../bin/hayloft.js', import.meta.url))
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts `hayloft` as a user would; it ends with the tests at the latest. */
export function startHayloft(
  args: readonly string[],
  { home, stdin, within = [], aheadMs = 0 }: RunOptions = {},
): { child: ChildProcess; ended: Promise<Run> } {
  const [command, ...before] = [...within, process.execPath, PROGRAM]
  const child = spawn(command, [...before, ...args], {
    env: {
      ...process.env,
      HAYLOFT_HOME: home ?? NO_HOME,
      NO_COLOR: '1',
      ...(aheadMs !== 0 && { NODE_OPTIONS: `--import=${calendarAhead(aheadMs)}` }),
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.add(child)
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // One that refuses its arguments does not read it.
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin ?? '')
  const ended = new Promise<Run>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      running.delete(child)
      const bytes = Buffer.concat(out)
      const stderr = Buffer.concat(err).toString('utf8')
      resolve({ status, bytes, stdout: bytes.toString('utf8'), stderr })
    })
  })
  return { child, ended }
}

/** A module that sets the calendar of the process that loads it. */
function calendarAhead(aheadMs: number): string {
  const code = `const now=Date.now;Date.now=()=>now()+(${aheadMs})`
  return `data:text/javascript,${encodeURIComponent(code)}`
}

export async function hayloft(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return await startHayloft(args, options).ended
}

/** Nothing is here, and nothing must come to be here. */
export const NO_HOME = '/nonexistent/hayloft-home'
