import { HayloftError, messageOf, systemCodeOf } from '../foundation/error.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

/** How a failure is told: a status for the shell, a stable code for programs, a sentence for people. */
export interface Failure {
  readonly exit: ExitCode
  readonly code: string
  readonly message: string
}

/** A failure that the command line itself finds. */
export class CliError extends HayloftError {
  readonly code: string
  readonly exit: ExitCode

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options)
    this.code = failure.code
    this.exit = failure.exit
  }
}

export function usageError(message: string): CliError {
  return new CliError({ exit: EXIT.usage, code: 'usage', message })
}

/** The user, or whoever started us, wants it to end. */
export class InterruptedError extends CliError {
  constructor(signal: 'SIGINT' | 'SIGTERM') {
    const exit = signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated
    super({ exit, code: 'interrupted', message: 'Interrupted.' })
  }
}

/** What to tell of anything that was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CliError) return thrown
  if (thrown instanceof HayloftError) {
    return {
      exit: EXIT_OF_CODE[thrown.code] ?? EXIT.io,
      code: thrown.code,
      message: thrown.message,
    }
  }
  const system = systemFailure(thrown, 'The operation')
  return system ?? internalFailure()
}

/**
 * A failed system call as a sentence about `subject` ("The file a.txt"), which begins it.
 * @returns undefined if that is not what was thrown
 */
export function systemFailure(thrown: unknown, subject: string): Failure | undefined {
  const code = systemCodeOf(thrown)
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return undefined
  const known = SYSTEM_FAILURES[code]
  if (known !== undefined) {
    return { exit: known.exit, code: known.code, message: `${subject} ${known.predicate}.` }
  }
  return { exit: EXIT.io, code: 'io', message: `${subject} failed with the system error ${code}.` }
}

/** Runs `work`; a failed system call becomes a sentence about `subject`. */
export async function describingFailures<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const failure = systemFailure(thrown, subject)
    throw failure === undefined ? thrown : new CliError(failure, { cause: thrown })
  }
}

/** The stack, for those who look for the bug. */
export function debugTrace(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.name) : messageOf(thrown)
}

/** Statuses of the library's errors; those not named here are failures of a disk or the network. */
const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  'capability-malformed': EXIT.usage,
  'recovery-words-malformed': EXIT.usage,
  'name-invalid': EXIT.usage,
  'path-too-deep': EXIT.usage,
  'erasure-code-invalid': EXIT.usage,
  'range-invalid': EXIT.usage,
  'too-few-nodes': EXIT.lost,
  'not-enough-shares': EXIT.lost,
  'file-broken': EXIT.lost,
}

const SYSTEM_FAILURES: Readonly<
  Record<string, { exit: ExitCode; code: string; predicate: string }>
> = {
  ENOENT: { exit: EXIT.inputMissing, code: 'not-found', predicate: 'does not exist' },
  ENOTDIR: {
    exit: EXIT.inputMissing,
    code: 'not-found',
    predicate: 'does not exist: part of its path is not a directory',
  },
  EISDIR: { exit: EXIT.inputMissing, code: 'is-directory', predicate: 'is a directory' },
  EACCES: { exit: EXIT.permission, code: 'permission', predicate: 'is not yours to access' },
  EPERM: { exit: EXIT.permission, code: 'permission', predicate: 'is not yours to access' },
  EROFS: { exit: EXIT.cannotCreate, code: 'read-only', predicate: 'is on a read-only disk' },
  ENOSPC: { exit: EXIT.io, code: 'disk-full', predicate: 'does not fit: the disk is full' },
  EDQUOT: {
    exit: EXIT.io,
    code: 'disk-full',
    predicate: 'does not fit: your disk quota is used up',
  },
  EFBIG: { exit: EXIT.io, code: 'disk-full', predicate: 'is larger than this disk allows' },
  EIO: { exit: EXIT.io, code: 'io', predicate: 'cannot be read or written: the disk fails' },
  EMFILE: { exit: EXIT.io, code: 'io', predicate: 'cannot be opened: too many files are open' },
  ENAMETOOLONG: { exit: EXIT.inputMissing, code: 'not-found', predicate: 'has too long a name' },
  ELOOP: {
    exit: EXIT.inputMissing,
    code: 'not-found',
    predicate: 'is a symbolic link in a circle',
  },
  EPIPE: { exit: EXIT.brokenPipe, code: 'broken-pipe', predicate: 'ended: its reader went away' },
}

function internalFailure(): Failure {
  return {
    exit: EXIT.internal,
    code: 'internal',
    message:
      'Hayloft itself failed, which is a bug. Please report it with the command (without any capability) and ' +
      'what it prints when run again with HAYLOFT_DEBUG=1.',
  }
}
