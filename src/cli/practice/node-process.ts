import { spawn, type ChildProcess } from 'node:child_process'
import { open } from 'node:fs/promises'
import type { Clock } from '../../foundation/clock.ts'
import { sleep } from '../../foundation/clock.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { PROGRAM } from '../package-files.ts'
import { isAlive, sendSignal } from '../../home/processes.ts'
import { readRunning, removeRunning, type RunningFile } from '../../home/running-file.ts'
import { changePort } from './prepare.ts'
import type { PracticeNode } from './practice-file.ts'

/** Ten nodes that start together on one slow core need some of this; one that needs more hangs. */
const START_TIMEOUT_MS = 60_000
/** A node that was told to end finishes what it is writing to disk. */
const STOP_TIMEOUT_MS = 10_000
const KILL_TIMEOUT_MS = 5_000
const POLL_INTERVAL_MS = 25
/** The second time on another port, in case something else was quicker to take the first. */
const START_ATTEMPTS = 2

/** Starts a node as a process of its own that outlives this one, and waits until it says where it listens. */
export async function startNode(
  node: PracticeNode,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<RunningFile> {
  for (let attempt = 1; ; attempt++) {
    const child = await spawnNode(node)
    const running = await waitUntilRunning(node, child, { clock, signal })
    if (running !== undefined) return running
    if (attempt === START_ATTEMPTS) throw didNotStart(node)
    await changePort(node.files)
  }
}

/** Asks the process to end, insists after a while. Whoever else has its pid by now is left alone. */
export async function stopNode(
  { files }: PracticeNode,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<'stopped' | 'killed' | 'not-running'> {
  const running = await readRunning(files.running)
  if (running === undefined) {
    await removeRunning(files.running)
    return 'not-running'
  }
  sendSignal(running.pid, 'SIGTERM')
  // One that was frozen would otherwise not hear of it.
  sendSignal(running.pid, 'SIGCONT')
  if (await hasEnded(running, { clock, signal, timeoutMs: STOP_TIMEOUT_MS })) return 'stopped'
  if (await isAlive(running)) sendSignal(running.pid, 'SIGKILL')
  if (!(await hasEnded(running, { clock, signal, timeoutMs: KILL_TIMEOUT_MS }))) {
    throw new CliError({
      exit: EXIT.io,
      code: 'node-does-not-stop',
      message: `Process ${running.pid} does not end, not even when killed: it hangs in the system, on a disk perhaps.`,
    })
  }
  await removeRunning(files.running)
  return 'killed'
}

async function spawnNode({ files }: PracticeNode): Promise<ChildProcess> {
  // The node keeps its own log; here goes only what Node itself prints when it dies.
  const errors = await open(files.log, 'a', 0o600)
  try {
    const child = spawn(
      process.execPath,
      [...FLAGS, PROGRAM, 'node', 'start', '--log', files.log],
      {
        detached: true,
        cwd: files.home,
        env: { ...inheritedEnvironment(), HAYLOFT_HOME: files.home },
        stdio: ['ignore', 'ignore', errors.fd],
      },
    )
    child.unref()
    return child
  } finally {
    await errors.close()
  }
}

/**
 * How a practice node's garbage is collected: on one thread, since ten nodes share this machine's cores and the helper
 * threads of ten collectors would fight over them; and often and little by little, since shares that pass through
 * weigh on V8 as external memory, which otherwise calls for a full collection every few dozen shares.
 */
const FLAGS = ['--single-threaded-gc', '--max-semi-space-size=1']

/** Only what a node has a use for, so that nothing secret in the caller's environment lives on in its processes. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const names = [
    'PATH',
    'HOME',
    'TMPDIR',
    'TZ',
    'LANG',
    'NODE_OPTIONS',
    'SYSTEMROOT',
    'HAYLOFT_DEBUG',
  ]
  const set = names.filter((name) => process.env[name] !== undefined)
  return Object.fromEntries(set.map((name) => [name, process.env[name]]))
}

/** @returns undefined if the process ended instead */
async function waitUntilRunning(
  { name, files }: PracticeNode,
  child: ChildProcess,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<RunningFile | undefined> {
  const deadlineMs = clock.monotonicMs() + START_TIMEOUT_MS
  const ended = new AbortController()
  for (const event of ['error', 'exit']) {
    child.once(event, () => {
      ended.abort()
    })
  }
  while (!ended.signal.aborted) {
    const running = await readRunning(files.running)
    if (running !== undefined && running.pid === child.pid) return running
    if (clock.monotonicMs() > deadlineMs) {
      child.kill('SIGKILL')
      throw new CliError({
        exit: EXIT.io,
        code: 'node-not-started',
        message: `${name} was not ready after ${START_TIMEOUT_MS / 1000} s and was ended. Its log is ${files.log}.`,
      })
    }
    await sleep(clock, POLL_INTERVAL_MS, signal)
  }
  return undefined
}

async function hasEnded(
  running: RunningFile,
  { clock, signal, timeoutMs }: { clock: Clock; signal: AbortSignal; timeoutMs: number },
): Promise<boolean> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  while (await isAlive(running)) {
    if (clock.monotonicMs() > deadlineMs) return false
    await sleep(clock, POLL_INTERVAL_MS, signal)
  }
  return true
}

function didNotStart({ name, files }: PracticeNode): CliError {
  return new CliError({
    exit: EXIT.io,
    code: 'node-not-started',
    message: `${name} ended while it started. Its log, ${files.log}, says why.`,
  })
}
