import { HayloftError } from '../foundation/error.ts'

/** A folder's tree that no conforming writer makes: a node out of form, or one that is not what its parent says. */
export class BrokenFolderError extends HayloftError {
  readonly code = 'folder-broken'

  constructor(why: string, options?: ErrorOptions) {
    super(
      `This is not a folder that Hayloft wrote: ${why}. Its writer was broken or meant harm.`,
      options,
    )
  }
}

/** A name that no entry can have. */
export class InvalidNameError extends HayloftError {
  readonly code = 'name-invalid'
}

/** There is nothing under a path. */
export class PathNotFoundError extends HayloftError {
  readonly code = 'path-not-found'
  readonly path: string

  constructor(path: string) {
    super(`There is nothing at "${path}" in this folder.`)
    this.path = path
  }
}

/** A path leads through something that has nothing below it. */
export class NotADirectoryError extends HayloftError {
  readonly code = 'not-a-directory'
  readonly path: string
  /** Whether a directory was to be where it is, so that it may make place for one. */
  readonly isInTheWay: boolean

  constructor(path: string, { isInTheWay = false }: { readonly isInTheWay?: boolean } = {}) {
    super(`"${path}" is not a directory.${isInTheWay ? ' Remove or rename it first.' : ''}`)
    this.path = path
    this.isInTheWay = isInTheWay
  }
}

/** A file was to be where a directory is, or a directory was asked for what only files have. */
export class IsADirectoryError extends HayloftError {
  readonly code = 'is-a-directory'
  readonly path: string

  constructor(path: string) {
    super(`"${path}" is a directory. Remove it first, or choose another name.`)
    this.path = path
  }
}

/** A directory was to be moved or copied into itself. */
export class IntoItselfError extends HayloftError {
  readonly code = 'into-itself'
  readonly path: string

  constructor(path: string) {
    super(`"${path}" cannot be moved or copied into itself.`)
    this.path = path
  }
}

/** More directories inside each other than a folder can hold. */
export class PathTooDeepError extends HayloftError {
  readonly code = 'path-too-deep'
}

/** What an entry was to hold does not fit its bounds. */
export class EntryTooLargeError extends HayloftError {
  readonly code = 'entry-too-large'
}

/** More versions of one name, or more devices that wrote, than the format has room for. */
export class TooManyVersionsError extends HayloftError {
  readonly code = 'too-many-versions'
}
