import { setMaxListeners } from 'node:events'
import { CommanderError } from 'commander'
import { EXIT, type ExitCode } from './exit-codes.ts'
import {
  debugTrace,
  failureOf,
  InterruptedError,
  untoldRemoval,
  systemFailure,
  type Failure,
} from './failures.ts'
import { buildProgram, commanderFailure } from './program.ts'
import { letHeapGrow } from './heap-growth.ts'
import { withoutCapabilities } from '../capabilities/redact.ts'
import { flush, openTerminal } from './terminal.ts'

/** Runs one command line, tells what went wrong, and ends the process with the status that says it. */
export async function main(argv: readonly string[]): Promise<never> {
  hideArguments()
  letHeapGrow()
  const interrupted = new AbortController()
  // Everything under way listens to it, which is much where many files are put at once, and no leak.
  setMaxListeners(0, interrupted.signal)
  watchSignals(interrupted)
  watchStandardOutput(argv)
  watchStrayFailures(argv)
  const status = await run(argv, interrupted.signal)
  await Promise.all([flush(process.stdout), flush(process.stderr)])
  // What libp2p has still open would keep the process alive; whatever had to be finished is.
  process.exit(status)
}

async function run(argv: readonly string[], signal: AbortSignal): Promise<ExitCode> {
  let status: ExitCode = EXIT.ok
  const terminal = openTerminal({ json: argv.includes('--json') })
  try {
    const program = buildProgram(signal, (ended) => (status = ended))
    await program.parseAsync(argv, { from: 'user' })
    const removal = untoldRemoval()
    if (status === EXIT.ok || removal === undefined) return status
    // The command made do with what it had, and this is why that was little.
    throw removal
  } catch (thrown) {
    const failure = told(thrown, signal)
    if (failure === undefined) return EXIT.ok
    if (failure.exit === EXIT.brokenPipe) return failure.exit
    terminal.failure(failure)
    traceBug(failure, thrown)
    return failure.exit
  }
}

function traceBug({ exit }: Failure, thrown: unknown): void {
  if (exit !== EXIT.internal || process.env['HAYLOFT_DEBUG'] !== '1') return
  process.stderr.write(`${withoutCapabilities(debugTrace(thrown))}\n`)
}

function told(thrown: unknown, signal: AbortSignal): Failure | undefined {
  // Whatever broke because we were told to stop, stopping is the reason.
  if (signal.aborted) return failureOf(signal.reason)
  return thrown instanceof CommanderError ? commanderFailure(thrown) : failureOf(thrown)
}

/** Overwrites the command line as other users of the machine see it, for a capability may stand there. */
function hideArguments(): void {
  process.title = 'hayloft'
}

/** The first signal lets commands tidy up; the second ends the process where it stands. */
function watchSignals(interrupted: AbortController): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      const reason = new InterruptedError(signal)
      if (interrupted.signal.aborted) process.exit(reason.exit)
      interrupted.abort(reason)
    })
  }
}

/** `hayloft get … | head` ends quietly, like any other program whose reader has had enough. */
function watchStandardOutput(argv: readonly string[]): void {
  process.stdout.on('error', (error) => {
    const failure = systemFailure(error, 'Standard output') ?? failureOf(error)
    if (failure.exit !== EXIT.brokenPipe) {
      openTerminal({ json: argv.includes('--json') }).failure(failure)
    }
    process.exit(failure.exit)
  })
}

/** What no command was waiting for is a bug, and is told as one: in a sentence and not as a stack. */
function watchStrayFailures(argv: readonly string[]): void {
  process.on('uncaughtException', (thrown) => {
    const failure = failureOf(thrown)
    openTerminal({ json: argv.includes('--json') }).failure(failure)
    traceBug(failure, thrown)
    process.exit(failure.exit)
  })
}
