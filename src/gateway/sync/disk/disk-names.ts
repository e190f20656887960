import { checkName, type Name } from '../../../folders/names.ts'

/** What a disk does with names. */
export interface NameRules {
  /** It keeps characters and names for itself, as Windows and FAT do. */
  readonly isReserving: boolean
  /** It takes names that differ in upper and lower case, or in the form of their Unicode, for the same. */
  readonly isFolding: boolean
}

/** What most disks of Linux do: any bytes but `/` and zero. */
export const EXACT_NAMES: NameRules = { isReserving: false, isFolding: false }

/**
 * How a disk writes names that the grid may have and it cannot. Characters that the system keeps for itself, and a blank
 * or dot at the end, become private characters (U+F000 + code), as Cygwin and Samba write them, and so come back; of a
 * device's name (`CON`) the first letter does.
 * @param clashes of a name that another one in the directory is too like, which number it is: so many marks (U+F000) tell
 *   them apart
 */
export function diskName(name: Name, { isReserving }: NameRules, clashes = 0): string {
  const marked = clashes === 0 ? name : mark(name, clashes)
  if (!isReserving) return marked
  const plain = marked.replaceAll(RESERVED, shift)
  return DEVICE.test(plain) ? shift(plain[0] ?? '') + plain.slice(1) : plain
}

/** The inverse, in normal form C. @throws InvalidNameError for what the grid cannot have */
export function gridName(raw: string, { isReserving, isFolding }: NameRules): Name {
  const unmarked = isFolding ? raw.replaceAll(MARK, '') : raw
  const written = isReserving ? unmarked.replaceAll(SHIFTED, unshift) : unmarked
  return checkName(written.normalize('NFC'))
}

/** Equal for names that a folding disk takes for the same. */
export function foldedName(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

/** Whether it was told apart from another by {@link diskName}. */
export function isMarked(raw: string): boolean {
  return raw.includes(MARK)
}

const MARK = '\uf000'
// oxlint-disable-next-line no-control-regex -- control characters are among what Windows refuses
const RESERVED = /[<>:"\\|?*\x01-\x1f]|[. ]$/g
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
const PRIVATE = 0xf000
const SHIFTED = /[\uf001-\uf07f]/g

/** Before its ending, so that the file is opened by the same program. */
function mark(name: string, clashes: number): string {
  const marks = MARK.repeat(clashes)
  return name.replace(/(\.[^.]{1,16})?$/, (end) => `${marks}${end}`)
}

function shift(character: string): string {
  return String.fromCharCode(PRIVATE + character.charCodeAt(0))
}

function unshift(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) - PRIVATE)
}
