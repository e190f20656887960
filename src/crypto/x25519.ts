import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

/**
 * Diffie–Hellman on Curve25519 (RFC 7748), for connections. Keys go to OpenSSL as JWKs (RFC 8037): to find out what DER holds
 * takes it several times as long as all the rest.
 */
export interface X25519KeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

/** Any 32 random bytes are a private key. */
export function x25519KeyPair(privateKey: Uint8Array): X25519KeyPair {
  const { x = '' } = privateKeyOf(privateKey).export({ format: 'jwk' })
  return { privateKey, publicKey: Buffer.from(x, 'base64url') }
}

/** @throws what OpenSSL throws where the other's key is of small order, so that the secret would be none */
export function x25519SharedKey(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return diffieHellman({
    privateKey: privateKeyOf(privateKey),
    publicKey: createPublicKey({
      key: { kty: 'OKP', crv: 'X25519', x: base64url(publicKey) },
      format: 'jwk',
    }),
  })
}

function privateKeyOf(privateKey: Uint8Array): KeyObject {
  // The public half is asked for and not looked at.
  return createPrivateKey({
    key: { kty: 'OKP', crv: 'X25519', d: base64url(privateKey), x: '' },
    format: 'jwk',
  })
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
