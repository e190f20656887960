import { isGone } from './careful.ts'
import type { FileSystem } from './file-system.ts'
import type { MarkedName } from './scan.ts'

/**
 * Takes marks off names that need none any more, since the other name is gone. What its user has given the very same name
 * meanwhile gets a number, so that both are synced.
 * @returns whether anything was renamed
 */
export function mendNames(files: FileSystem, marked: readonly MarkedName[]): boolean {
  let isMended = false
  for (const { at, plain, isDouble } of marked) {
    const free = isDouble ? freeName(files, plain) : plain
    if (!isFree(files, free)) continue
    files.renameNow(at, free)
    isMended = true
  }
  return isMended
}

function freeName(files: FileSystem, plain: string): string {
  for (let number = 2; ; number++) {
    const name = plain.replace(/(\.[^./\\]{1,16})?$/, (end) => ` (${number})${end}`)
    if (isFree(files, name)) return name
  }
}

function isFree(files: FileSystem, at: string): boolean {
  try {
    files.lstatNow(at)
    return false
  } catch (thrown) {
    if (isGone(thrown)) return true
    throw thrown
  }
}
