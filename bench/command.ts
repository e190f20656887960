import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../src/foundation/system.ts'

/** One run of `hayloft` as a process of its own, from its start to its end, Node's own start included. */
export interface CommandRun {
  readonly wallS: number
  /** User and system time of all threads. */
  readonly cpuS: number
  readonly peakBytes: number
  readonly stdout: string
}

export interface CommandOptions {
  readonly home: string
  readonly cwd?: string
  readonly signal?: AbortSignal
  /** Statuses besides 0 that are no failure here. */
  readonly accept?: readonly number[]
  /** Out of reach of Ctrl-C at the terminal, for what has to be cleaned up after it. */
  readonly detached?: boolean
}

/** @throws Error with what the command said, if it failed */
export async function runHayloft(
  args: readonly string[],
  { home, cwd, signal, accept = [], detached = false }: CommandOptions,
): Promise<CommandRun> {
  signal?.throwIfAborted()
  const scratch = await mkdtemp(join(tmpdir(), 'hayloft-bench-usage-'))
  const usagePath = join(scratch, 'usage.json')
  const startMs = systemClock.monotonicMs()
  const child = spawn(process.execPath, ['--import', REPORTER, PROGRAM, ...args], {
    env: { ...process.env, HAYLOFT_HOME: home, HAYLOFT_BENCH_USAGE: usagePath },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
    ...(cwd !== undefined && { cwd }),
    ...(signal !== undefined && { signal, killSignal: 'SIGTERM' as const }),
  })
  try {
    const stdout = textOf(child.stdout)
    const stderr = textOf(child.stderr)
    const [status] = (await once(child, 'close')) as [number | null]
    const wallS = (systemClock.monotonicMs() - startMs) / 1000
    if (status !== 0 && !accept.includes(status ?? -1)) {
      throw new Error(`hayloft ${args.slice(0, 4).join(' ')} ended with ${status}: ${await stderr}`)
    }
    const usage = JSON.parse(await readFile(usagePath, 'utf8')) as NodeJS.ResourceUsage
    return {
      wallS,
      cpuS: (usage.userCPUTime + usage.systemCPUTime) / 1e6,
      // Kilobytes of 1,024 bytes, whatever the system (libuv sees to it).
      peakBytes: usage.maxRSS * 1024,
      stdout: await stdout,
    }
  } catch (thrown) {
    signal?.throwIfAborted()
    throw thrown
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

export const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))
const PROGRAM = join(REPOSITORY, 'bin/hayloft.js')
const REPORTER = new URL('report-usage.js', import.meta.url).href

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += String(chunk)
  return text
}
