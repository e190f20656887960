import { HayloftError } from '../../foundation/error.ts'

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

/** One state of a folder, as its history tells it. */
export interface SetBackState {
  /** ms since 1970 */
  readonly timeMs: number
  readonly device: string
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

  constructor(
    {
      newer,
      older,
      sinceMs,
    }: {
      newer: SetBackState | undefined
      older: SetBackState | undefined
      /** When this device found it out, in ms since 1970. */
      sinceMs: number | undefined
    },
    options?: ErrorOptions,
  ) {
    const since = sinceMs === undefined ? '' : ` That was found out on ${dateOf(sinceMs)}.`
    super(
      `What this folder was last${saidOf(newer)} is on no storage node that answers, though it was there: nodes have gone ` +
        `back to an older state${saidOf(older)}.${since} If some that have the newer one may come back, wait for them. ` +
        'If not, "hayloft folder accept PLACE" makes the older state the present one; what came after it is lost then.',
      options,
    )
    this.newer = newer
    this.older = older
  }
}

/** There is no older state of a folder to accept: what it was last can be read, or nothing else is known. */
export class NothingSetBackError extends HayloftError {
  readonly code = 'nothing-set-back'

  constructor() {
    super(
      'There is nothing to accept: as far as this device knows, storage nodes have not gone back to an older state of this ' +
        'folder, or what it was last can be read all the same. To make it what it was before, restore it.',
    )
  }
}

function saidOf(state: SetBackState | undefined): string {
  if (state === undefined) return ''
  const by = state.device === '' ? '' : ` by ${state.device}`
  return ` (of ${dateOf(state.timeMs)}${by})`
}

/** To the second, in UTC: times are others' numbers, and one that no calendar has is told as it is. */
function dateOf(timeMs: number): string {
  const time = new Date(timeMs)
  return Number.isNaN(time.getTime())
    ? String(timeMs)
    : `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
