import { utf8 } from '../foundation/bytes.ts'
import { MAX_DEVICE_BYTES } from './entry.ts'
import { InvalidNameError } from './errors.ts'
import { checkName } from './names.ts'

/**
 * What a member calls a device, as it stands in the names of conflict copies: at most 32 bytes, could be a name, no
 * control characters, not blank at either end; or nothing.
 * @throws InvalidNameError
 */
export function checkDevice(text: string): string {
  if (text === '') return text
  checkName(text)
  if (utf8(text).length > MAX_DEVICE_BYTES || CONTROL.test(text) || text.trim() !== text) {
    throw new InvalidNameError(
      `The name of a device has at most ${MAX_DEVICE_BYTES} bytes, no control characters and no blanks at its ends.`,
    )
  }
  return text
}

const CONTROL = /\p{Cc}/u
