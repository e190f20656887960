/** Chance as a parameter: the system's generator in the program, a seeded one in simulations. */
export interface Randomness {
  /** `length` bytes; from {@link ./system.ts | the system} they are fit for keys. */
  bytes(length: number): Uint8Array
}

/** A number in [0, 1) with 53 random bits. */
function randomFraction(randomness: Randomness): number {
  const bytes = randomness.bytes(8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8)
  return Number(view.getBigUint64(0) >> 11n) / 2 ** 53
}

/** A whole number in [0, bound). The bias of at most bound / 2^53 does not matter for choosing leaves or nodes. */
export function randomBelow(randomness: Randomness, bound: number): number {
  return Math.floor(randomFraction(randomness) * bound)
}
