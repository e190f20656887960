/** Nothing is stored as fewer bytes, whatever is in it. */
const MIN_PADDED_BYTES = 512

/**
 * How many bytes `length` bytes are stored as, so that sizes tell little: Padmé (Nikitin et al., "Reducing Metadata
 * Leakage from Encrypted Files and Communication with PURBs", 2019), at least 512. At most 6.2 % above the floor.
 */
export function paddedBytes(length: number): number {
  if (length <= MIN_PADDED_BYTES) return MIN_PADDED_BYTES
  const exponent = 31 - Math.clz32(length)
  const kept = 32 - Math.clz32(exponent)
  const unit = 2 ** (exponent - kept)
  return Math.ceil(length / unit) * unit
}
