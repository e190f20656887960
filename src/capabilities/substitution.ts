/**
 * Finds the one symbol whose substitution explains a wrong Bech32m checksum. The code's distance is at least 4 up to
 * 1,023 symbols (BIP 173, "Checksum design"), so one wrong symbol leaves a residue that no other single one leaves, and
 * two wrong ones are never taken for one. It names a place and never a correction: people who see their typo repaired
 * stop checking, and three errors may look like one.
 *
 * @param prefix - the human-readable part, lower case
 * @param symbols - everything after the `1`, checksum included, each 0 to 31
 * @returns the index in `symbols`, or undefined if one substitution among them does not explain it
 */
export function locateSubstitution(prefix: string, symbols: readonly number[]): number | undefined {
  let state = 1
  for (const character of prefix) state = step(state) ^ (character.charCodeAt(0) >> 5)
  state = step(state)
  for (const character of prefix) state = step(state) ^ (character.charCodeAt(0) & 31)
  for (const symbol of symbols) state = step(state) ^ symbol
  const residue = state ^ BECH32M_CONSTANT
  // The checksum is linear: an error leaves the same residue in a string of zeros, moved on once for every symbol
  // that follows it.
  for (let error = 1; error < 32; error++) {
    let shifted = error
    for (let index = symbols.length - 1; index >= 0; index--) {
      if (shifted === residue) return index
      shifted = step(shifted)
    }
  }
  return undefined
}

// BIP 350, and the generator polynomial of BIP 173.
const BECH32M_CONSTANT = 0x2bc830a3
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** Multiplies by x modulo the generator. */
function step(state: number): number {
  let next = (state & 0x1ffffff) << 5
  GENERATOR.forEach((term, bit) => {
    if ((state >>> (25 + bit)) & 1) next ^= term
  })
  return next
}
