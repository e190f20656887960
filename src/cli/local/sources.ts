import { lstatSync, readlinkSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { describeSystemFailure, SystemFailureError } from '../../foundation/system-failure.ts'
import { checkName, type Name } from '../../folders/names.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { STANDARD_INPUT } from '../source.ts'
import type { LocalFile } from './walk.ts'

/** What an argument of `put` means on this computer. */
export type LocalSource =
  | { readonly kind: 'standard-input' }
  | { readonly kind: 'file'; readonly name: Name; readonly file: LocalFile }
  | {
      readonly kind: 'directory'
      readonly at: string
      /** Undefined where its contents are meant: `.`, `..`, `photos/.` */
      readonly name: Name | undefined
    }

/**
 * Looks at what is named. With `recursive` a symbolic link is put as a link, as below a directory; else it means what it
 * leads to, as with cp.
 * @throws SystemFailureError, CliError, InvalidNameError
 */
export function localSource(
  argument: string,
  { recursive }: { readonly recursive: boolean },
): LocalSource {
  if (argument === STANDARD_INPUT) return { kind: 'standard-input' }
  try {
    return sourceAt(argument, recursive)
  } catch (thrown) {
    const failure = describeSystemFailure(thrown, `The file ${argument}`)
    throw failure === undefined ? thrown : new SystemFailureError(failure, { cause: thrown })
  }
}

function sourceAt(at: string, recursive: boolean): LocalSource {
  const isLinkMeant = recursive && !at.endsWith('/')
  const stats = isLinkMeant ? lstatSync(at, { bigint: true }) : statSync(at, { bigint: true })
  if (stats.isDirectory()) {
    if (!recursive) throw needsRecursive(at)
    return { kind: 'directory', at, name: /(^|\/)\.{0,2}\/*$/.test(at) ? undefined : nameOf(at) }
  }
  const name = nameOf(at)
  if (stats.isSymbolicLink()) {
    const target = readlinkSync(at)
    return { kind: 'file', name, file: { kind: 'symlink', name, at, stats, target } }
  }
  if (stats.isFile()) return { kind: 'file', name, file: { kind: 'file', name, at, stats } }
  throw new CliError({
    exit: EXIT.inputMissing,
    code: 'not-a-file',
    message: `${at} is not an ordinary file. To store what a program writes, use its output: program | hayloft put - home:NAME`,
  })
}

function nameOf(at: string): Name {
  return checkName(basename(resolve(at)).normalize('NFC'))
}

function needsRecursive(at: string): CliError {
  return new CliError({
    exit: EXIT.inputMissing,
    code: 'is-directory',
    message: `${at} is a directory. Add -r to put all that is in it into a folder: hayloft put -r ${at} home:`,
  })
}
