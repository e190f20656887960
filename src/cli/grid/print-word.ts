import { renderUnicodeCompact } from 'uqr'
import type { Terminal } from '../terminal.ts'

/** A word for another computer: alone where a program reads it, and as a picture for a camera too where a person does. */
export function printWord(word: string, terminal: Terminal): void {
  terminal.line(word)
  if (!terminal.isScreen) return
  terminal.line('')
  // Upper case lets a QR code hold it in two thirds of the room; every reader of such words takes it.
  const picture = renderUnicodeCompact(word.toUpperCase(), { ecc: 'L', border: 2 })
  const isWide = picture.indexOf('\n') > (process.stdout.columns ?? 0)
  if (isWide) terminal.note('(This window is too narrow for the QR code of it.)')
  else terminal.line(picture)
  terminal.line('')
}
