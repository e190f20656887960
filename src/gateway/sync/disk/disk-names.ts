import { checkName, type Name } from '../../../folders/names.ts'

/**
 * How a disk writes names that the grid may have and it cannot: characters that the system keeps for itself, and a blank or
 * dot at the end, become private characters (U+F000 + code), as Cygwin and Samba write them, and so come back. Of a device's name
 * (`CON`) the first letter does.
 */
export function diskName(name: Name, platform: NodeJS.Platform): string {
  if (platform !== 'win32') return name
  const plain = name.replaceAll(RESERVED, shift)
  return DEVICE.test(plain) ? shift(plain[0] ?? '') + plain.slice(1) : plain
}

/** The inverse, in normal form C. @throws InvalidNameError for what the grid cannot have */
export function gridName(raw: string, platform: NodeJS.Platform): Name {
  const written = platform === 'win32' ? raw.replaceAll(SHIFTED, unshift) : raw
  return checkName(written.normalize('NFC'))
}

// oxlint-disable-next-line no-control-regex -- control characters are among what Windows refuses
const RESERVED = /[<>:"\\|?*\x00-\x1f]|[. ]$/g
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
const PRIVATE = 0xf000
const SHIFTED = /[\uf000-\uf07f]/g

function shift(character: string): string {
  return String.fromCharCode(PRIVATE + character.charCodeAt(0))
}

function unshift(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) - PRIVATE)
}
