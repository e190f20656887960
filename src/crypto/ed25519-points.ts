/**
 * Whether 32 bytes are an encoding of a public key that strict verification may use: the y coordinate below the field's
 * prime, and not one of the eight points of small order, whose holders could sign so that one signature fits many
 * messages. Whether the point lies on the curve is left to the backend. Public data, so time may vary.
 */
export function isStrictPublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false
  let y = 0n
  for (let i = 31; i >= 0; i--) {
    const byte = publicKey[i] ?? 0
    // The topmost bit is the sign of x.
    y = (y << 8n) | BigInt(i === 31 ? byte & 0x7f : byte)
  }
  return y < FIELD_PRIME && !SMALL_ORDER_Y.has(y)
}

const FIELD_PRIME = 2n ** 255n - 19n

// The y of the points of order 1, 2, 4 and (two of them) 8; a test derives them anew from the curve.
const ORDER_8_Y = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const SMALL_ORDER_Y = new Set([1n, FIELD_PRIME - 1n, 0n, ORDER_8_Y, FIELD_PRIME - ORDER_8_Y])
