/**
 * Every status that `hayloft` ends with. 64 and above follow BSD's sysexits(3), so that scripts may tell failures
 * apart; 128 + n says that signal n ended it, as shells do.
 */
export const EXIT = {
  ok: 0,
  /** It was done, but not in full: a file has fewer shares than it should, or some of several files failed. */
  degraded: 1,
  /** Too few shares to read a file, or too few nodes to keep one. */
  lost: 2,
  /** The command line or a capability is malformed. No node was asked. */
  usage: 64,
  inputMissing: 66,
  /** A bug in Hayloft. */
  internal: 70,
  /** What was to be written cannot be created there. */
  cannotCreate: 73,
  io: 74,
  /** Others changed it at the same time: look at it again, and then try again. */
  tryAgain: 75,
  permission: 77,
  /** The home is not set up, or what it holds is damaged. */
  config: 78,
  interrupted: 130,
  /** The reader of standard output went away. */
  brokenPipe: 141,
  terminated: 143,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]
