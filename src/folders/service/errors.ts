import { HayloftError } from '../../foundation/error.ts'
import { setBackSentence, type SetBack, type SetBackState } from '../../grid/slots/set-back.ts'

/** Nothing was ever written where a capability leads, or nothing that is a folder. */
export class FolderMissingError extends HayloftError {
  readonly code = 'folder-missing'

  constructor() {
    super(
      'There is no folder here: nothing was ever written with this capability, or it is of something else.',
    )
  }
}

/** A path, or a walk, comes back through links to a folder that it is in already, or crosses more links than anyone makes. */
export class LinkCycleError extends HayloftError {
  readonly code = 'link-cycle'
  readonly path: string

  constructor(path: string) {
    super(
      `"${path}" is a link that leads back to a folder which it lies in. Name what you want by a shorter path.`,
    )
    this.path = path
  }
}

/** What the holder was asked for is more than the holder has. */
export class PowerMissingError extends HayloftError {
  readonly code = 'power-missing'
}

/** A directory or a symbolic link was to be read as a file. */
export class NotAFileError extends HayloftError {
  readonly code = 'not-a-file'
  readonly path: string

  constructor(path: string) {
    super(`"${path}" is not a file.`)
    this.path = path
  }
}

/** What is at a path is not what the writer last saw there. */
export class FolderChangedError extends HayloftError {
  readonly code = 'folder-changed'
  readonly path: string

  constructor(path: string) {
    super(
      `Nothing was written: "${path}" has changed since it was read. Look at what it is now, then try again.`,
    )
    this.path = path
  }
}

/** No commit that is still kept is as old as a time that was asked for. */
export class NoStateThenError extends HayloftError {
  readonly code = 'no-state-then'
  readonly timeMs: number

  constructor(timeMs: number) {
    super('The history of this folder does not go back to that time. Ask for a later one.')
    this.timeMs = timeMs
  }
}

/** Several devices wrote at once, and what all of them made together is not on the grid yet. */
export class NotMergedError extends HayloftError {
  readonly code = 'not-merged'

  constructor() {
    super(
      'Several devices have changed this directory at the same time. It can be named for good once somebody who may ' +
        'write has changed the folder again.',
    )
  }
}

/**
 * Storage nodes have gone back to an older state of a folder, as backups do, and what makes up the newer one that was
 * seen is on none of them.
 */
export class FolderSetBackError extends HayloftError {
  readonly code = 'folder-set-back'
  /** What was seen before and cannot be read any more. */
  readonly newer: SetBackState | undefined
  /** What can be gone back to; undefined if that is nothing at all. */
  readonly older: SetBackState | undefined

  constructor(setBack: SetBack, options?: ErrorOptions) {
    super(setBackSentence('folder', setBack), options)
    this.newer = setBack.newer
    this.older = setBack.older
  }
}
