import { bitOf } from '../names.ts'

/** Where a part of a directory lies. */
export interface Position {
  /** `0`s and `1`s that the places of all its names begin with. */
  readonly prefix: string
  /** Whether the directory is the root of a folder, whose topmost node nobody tells its dots. */
  readonly isInRoot: boolean
}

export const TOP: Position = { prefix: '', isInRoot: false }
export const ROOT_TOP: Position = { prefix: '', isInRoot: true }

/** Bits that one branch decides: it has up to 16 children. */
export const BRANCH_BITS = 4
/** Bits that can tell names apart. A depth fits a byte; no two names are known to share even half of them. */
export const MAX_DEPTH = 252

/** Whether a part here that is no leaf is a branch of its own, rather than a range of digits within one. */
export function isAtBranch({ prefix }: Position): boolean {
  return prefix.length % BRANCH_BITS === 0
}

export function halfPosition({ prefix, isInRoot }: Position, bit: 0 | 1): Position {
  return { prefix: prefix + String(bit), isInRoot }
}

export function hasPrefix(place: Uint8Array, prefix: string): boolean {
  for (let depth = 0; depth < prefix.length; depth++) {
    if (bitOf(place, depth) !== Number(prefix[depth])) return false
  }
  return true
}
