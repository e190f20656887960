import { HayloftError, systemCodeOf } from './error.ts'

/** A system call that failed over a file or the like, told in a sentence. */
export class SystemFailureError extends HayloftError {
  readonly code: SystemFailureCode

  constructor({ code, message }: SystemFailure, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What to tell of it. */
export interface SystemFailure {
  readonly code: SystemFailureCode
  readonly message: string
}

/** Stable, for programs. */
export type SystemFailureCode =
  | 'not-found'
  | 'is-directory'
  | 'cannot-create'
  | 'permission'
  | 'read-only'
  | 'disk-full'
  | 'io'
  | 'broken-pipe'

/**
 * A failed system call as a sentence about `subject` ("The file a.txt"), which begins it.
 * @returns undefined if that is not what was thrown
 */
export function describeSystemFailure(thrown: unknown, subject: string): SystemFailure | undefined {
  const code = systemCodeOf(thrown)
  if (code === undefined || !/^E[A-Z0-9]+$/.test(code)) return undefined
  const known = SYSTEM_FAILURES[code]
  if (known !== undefined) return { code: known.code, message: `${subject} ${known.predicate}.` }
  return { code: 'io', message: `${subject} failed with the system error ${code}.` }
}

/** Runs `work`; a failed system call becomes a sentence about `subject`. @throws SystemFailureError */
export async function describingFailures<T>(subject: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const failure = describeSystemFailure(thrown, subject)
    throw failure === undefined ? thrown : new SystemFailureError(failure, { cause: thrown })
  }
}

const SYSTEM_FAILURES: Readonly<Record<string, { code: SystemFailureCode; predicate: string }>> = {
  ENOENT: { code: 'not-found', predicate: 'does not exist' },
  ENOTDIR: {
    code: 'not-found',
    predicate: 'does not exist: part of its path is not a directory',
  },
  EISDIR: { code: 'is-directory', predicate: 'is a directory' },
  EACCES: { code: 'permission', predicate: 'is not yours to access' },
  EPERM: { code: 'permission', predicate: 'is not yours to access' },
  EROFS: { code: 'read-only', predicate: 'is on a read-only disk' },
  ENOSPC: { code: 'disk-full', predicate: 'does not fit: the disk is full' },
  EDQUOT: { code: 'disk-full', predicate: 'does not fit: your disk quota is used up' },
  EFBIG: { code: 'disk-full', predicate: 'is larger than this disk allows' },
  EIO: { code: 'io', predicate: 'cannot be read or written: the disk fails' },
  EMFILE: { code: 'io', predicate: 'cannot be opened: too many files are open' },
  ENAMETOOLONG: { code: 'not-found', predicate: 'has too long a name' },
  ELOOP: { code: 'not-found', predicate: 'is a symbolic link in a circle' },
  EPIPE: { code: 'broken-pipe', predicate: 'ended: its reader went away' },
}
