import { Buffer } from 'node:buffer'
import { createPrivateKey, type KeyObject } from 'node:crypto'

/**
 * The private key that 32 secret bytes stand for, in the form which OpenSSL takes fastest. Up to OpenSSL 3.0 it takes eight times
 * as long to find out what DER holds as to do all the rest, so it gets a JWK (RFC 8037). Its public half, which is
 * not at hand, was never looked at: from Node 24 on it is, and DER is as fast as the rest there.
 */
export function privateKeyOf(curve: Curve, secret: Uint8Array): KeyObject {
  isPublicHalfNeeded ??= !takesJwkWithoutPublicHalf()
  return isPublicHalfNeeded ? fromDer(curve, secret) : fromJwk(curve, secret)
}

export type Curve = 'Ed25519' | 'X25519'

/** Of this Node; the same for all keys. */
let isPublicHalfNeeded: boolean | undefined

function takesJwkWithoutPublicHalf(): boolean {
  try {
    fromJwk('Ed25519', new Uint8Array(32))
    return true
  } catch {
    return false
  }
}

function fromJwk(curve: Curve, secret: Uint8Array): KeyObject {
  const d = Buffer.from(secret).toString('base64url')
  return createPrivateKey({ key: { kty: 'OKP', crv: curve, d, x: '' }, format: 'jwk' })
}

function fromDer(curve: Curve, secret: Uint8Array): KeyObject {
  const key = Buffer.concat([PKCS8_PREFIXES[curve], secret])
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

/** All that PKCS#8 (RFC 8410) says of such a key before its 32 bytes. */
const PKCS8_PREFIXES: Readonly<Record<Curve, Uint8Array>> = {
  Ed25519: Buffer.from('302e020100300506032b657004220420', 'hex'),
  X25519: Buffer.from('302e020100300506032b656e04220420', 'hex'),
}
