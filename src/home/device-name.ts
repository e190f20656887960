import { hostname } from 'node:os'
import { utf8 } from '../foundation/bytes.ts'
import { checkDevice } from '../folders/devices.ts'
import { MAX_DEVICE_BYTES } from '../folders/entry.ts'
import { InvalidNameError } from '../folders/errors.ts'

/**
 * What this device is called in folders, for those who share them: `HAYLOFT_DEVICE`, or else the first part of the name
 * that the system has; as much of it as a folder takes.
 */
export function deviceName(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment['HAYLOFT_DEVICE']
  const name = given === undefined || given === '' ? (hostname().split('.')[0] ?? '') : given
  const plain = name.normalize('NFC').replaceAll(/[\p{Cc}\p{Surrogate}/]/gu, '')
  let cut = ''
  for (const character of plain.trim()) {
    if (utf8(cut + character).length > MAX_DEVICE_BYTES) break
    cut += character
  }
  return nameOrNone(cut.trim())
}

/** A device without a name is one that people cannot tell apart, and no reason to fail. */
function nameOrNone(text: string): string {
  try {
    return checkDevice(text)
  } catch (thrown) {
    if (thrown instanceof InvalidNameError) return ''
    throw thrown
  }
}
