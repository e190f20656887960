import { HayloftError, messageOf } from '../foundation/error.ts'
import { NotADirectoryError } from '../folders/errors.ts'
import { describeSystemFailure } from '../foundation/system-failure.ts'
import type { NotAMemberError } from '../home/errors.ts'
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

let removal: NotAMemberError | undefined
let removalTold = false

/** This device turns out to belong to the grid no more. Whatever fails from now on does so for that reason, and says so. */
export function noteRemoval(error: NotAMemberError): void {
  removal = error
}

/** What {@link noteRemoval} was told, unless a failure has told it on since. */
export function untoldRemoval(): NotAMemberError | undefined {
  return removalTold ? undefined : removal
}

/** What to tell of anything that was thrown. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CliError) return thrown
  if (removal !== undefined && thrown !== removal) {
    removalTold = true
    return failureOf(removal)
  }
  if (thrown instanceof HayloftError) {
    return {
      exit: exitOf(thrown),
      code: thrown.code,
      message: thrown.message,
    }
  }
  const system = systemFailure(thrown, 'The operation')
  return system ?? internalFailure()
}

/** The same of one of several files: errors of the grid speak of "the file", so say which. */
export function naming(file: string, failure: Failure): Failure {
  const isNamed = failure.message.includes(file) || removal !== undefined
  return isNamed ? failure : { ...failure, message: `${file}: ${failure.message}` }
}

/** See {@link describeSystemFailure}. */
export function systemFailure(thrown: unknown, subject: string): Failure | undefined {
  const failure = describeSystemFailure(thrown, subject)
  return failure && { exit: EXIT_OF_CODE[failure.code] ?? EXIT.io, ...failure }
}

function exitOf(error: HayloftError): ExitCode {
  if (error instanceof NotADirectoryError && error.isInTheWay) return EXIT.cannotCreate
  return EXIT_OF_CODE[error.code] ?? EXIT.io
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
  'slot-unavailable': EXIT.lost,
  'slot-not-stored': EXIT.lost,
  'folder-set-back': EXIT.lost,
  'file-set-back': EXIT.lost,
  'nothing-set-back': EXIT.inputMissing,
  'slot-contended': EXIT.tryAgain,
  'folder-changed': EXIT.tryAgain,
  'file-changed': EXIT.tryAgain,
  'not-merged': EXIT.tryAgain,
  'power-missing': EXIT.permission,
  'sync-overlaps': EXIT.usage,
  'not-syncable': EXIT.usage,
  'not-synced': EXIT.inputMissing,
  'path-not-found': EXIT.inputMissing,
  'not-a-file': EXIT.inputMissing,
  'folder-missing': EXIT.inputMissing,
  'mutable-missing': EXIT.inputMissing,
  'no-state-then': EXIT.inputMissing,
  'link-cycle': EXIT.inputMissing,
  'not-a-directory': EXIT.inputMissing,
  'is-a-directory': EXIT.cannotCreate,
  'into-itself': EXIT.cannotCreate,
  'cannot-create': EXIT.cannotCreate,
  'entry-too-large': EXIT.cannotCreate,
  'too-many-versions': EXIT.cannotCreate,
  'slot-clock-full': EXIT.cannotCreate,
  'not-found': EXIT.inputMissing,
  'is-directory': EXIT.inputMissing,
  permission: EXIT.permission,
  'read-only': EXIT.cannotCreate,
  'broken-pipe': EXIT.brokenPipe,
  'home-damaged': EXIT.config,
  'no-account': EXIT.config,
  'no-grid': EXIT.config,
  'not-a-member': EXIT.permission,
  'invite-expired': EXIT.permission,
  'invite-used': EXIT.permission,
  'invite-revoked': EXIT.permission,
  'invite-malformed': EXIT.usage,
  'member-name-invalid': EXIT.usage,
  'grid-unreachable': EXIT.lost,
  'join-failed': EXIT.tryAgain,
  'secrets-exposed': EXIT.permission,
  'passphrase-wrong': EXIT.permission,
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
