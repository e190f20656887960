import { concatBytes, utf8, type Branded } from '../foundation/bytes.ts'
import { sha256, tagPrefix } from '../crypto/hash.ts'
import { TAGS } from '../crypto/tags.ts'
import { InvalidNameError, PathTooDeepError } from './errors.ts'

/**
 * The name of an entry: 1 to 255 bytes of UTF-8 in normal form C, without `/` and NUL, and neither `.` nor `..`. What
 * a file system cannot hold beyond that is for whoever writes to it to escape.
 */
export type Name = Branded<string, 'Name'>

/** Names from the folder's root down; the root itself has none. */
export type Path = readonly Name[]

/** What Linux, macOS and Windows take. */
export const MAX_NAME_BYTES = 255
/** Directories inside each other. Paths of the systems that folders meet end far earlier. */
export const MAX_PATH_NAMES = 255

/** @throws InvalidNameError */
export function checkName(text: string): Name {
  if (text.length === 0 || text === '.' || text === '..') throw invalid(text, 'is not a name')
  // Most names: nothing can be wrong with them but their length.
  if (text.length <= MAX_NAME_BYTES && PLAIN.test(text)) return text as Name
  if (text.includes('/')) throw invalid(text, 'contains a slash')
  if (text.includes('\0')) throw invalid(text, 'contains a zero character')
  if (LONE_SURROGATE.test(text)) throw invalid(text, 'is not valid Unicode')
  if (text.normalize('NFC') !== text) {
    throw invalid(text, 'is not in Unicode normal form C; give it composed')
  }
  if (text.length > MAX_NAME_BYTES || utf8(text).length > MAX_NAME_BYTES) {
    throw invalid(text, `is longer than ${MAX_NAME_BYTES} bytes`)
  }
  return text as Name
}

/** `a/b/c`; slashes at either end do not count. @throws InvalidNameError, PathTooDeepError */
export function parsePath(text: string): Path {
  const trimmed = text.replace(/^\/+|\/+$/g, '')
  return trimmed === '' ? [] : checkPath(trimmed.split('/'))
}

/** @throws InvalidNameError, PathTooDeepError */
export function checkPath(names: readonly string[]): Path {
  if (names.length > MAX_PATH_NAMES) {
    throw new PathTooDeepError(`A path has at most ${MAX_PATH_NAMES} names.`)
  }
  return names.map(checkName)
}

/** `a/b/c`: the inverse of {@link parsePath}. */
export function formatPath(path: readonly string[]): string {
  return path.join('/')
}

/** The order of names everywhere: that of their UTF-8 bytes. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const unitA = a.charCodeAt(at)
    const unitB = b.charCodeAt(at)
    if (unitA !== unitB) return orderOfUnit(unitA) - orderOfUnit(unitB)
  }
  return a.length - b.length
}

/** Where a name lies in a directory's trie: `TH("hayloft1/name", name)`, the first bit being the highest. */
export function placeOf(name: Name): Uint8Array {
  const { written } = ENCODER.encodeInto(name, PLACED.subarray(NAME_TAG.length))
  return sha256(PLACED.subarray(0, NAME_TAG.length + written))
}

/** The bit of a place that decides at a depth. */
export function bitOf(place: Uint8Array, depth: number): 0 | 1 {
  return (((place[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1) === 0 ? 0 : 1
}

const NAME_TAG = tagPrefix(TAGS.name)
/** What is hashed for a place, in memory that is used again: a listing makes a hash for every name. */
const PLACED = concatBytes([NAME_TAG, new Uint8Array(MAX_NAME_BYTES)])
const ENCODER = new TextEncoder()

/** Printable ASCII without the slash. */
const PLAIN = /^[ -.0-~]*$/
const LONE_SURROGATE = /\p{Surrogate}/u
const FIRST_SURROGATE = 0xd800
const AFTER_SURROGATES = 0xe000

/** UTF-16 puts what lies beyond 0xffff before 0xe000 … 0xffff; UTF-8 puts it after them. */
function orderOfUnit(unit: number): number {
  return unit >= FIRST_SURROGATE && unit < AFTER_SURROGATES ? unit + 0x10000 : unit
}

function invalid(text: string, why: string): InvalidNameError {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  return new InvalidNameError(`The name ${shown} ${why}. Choose another one.`)
}
