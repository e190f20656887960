import { Buffer } from 'node:buffer'
import { createPublicKey, diffieHellman } from 'node:crypto'
import { privateKeyOf } from './private-keys.ts'

/** Diffie–Hellman on Curve25519 (RFC 7748), for connections. */
export interface X25519KeyPair {
  readonly publicKey: Uint8Array
  readonly privateKey: Uint8Array
}

/** Any 32 random bytes are a private key. */
export function x25519KeyPair(privateKey: Uint8Array): X25519KeyPair {
  const { x = '' } = privateKeyOf('X25519', privateKey).export({ format: 'jwk' })
  return { privateKey, publicKey: Buffer.from(x, 'base64url') }
}

/** @throws what OpenSSL throws where the other's key is of small order, so that the secret would be none */
export function x25519SharedKey(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return diffieHellman({
    privateKey: privateKeyOf('X25519', privateKey),
    publicKey: createPublicKey({
      key: { kty: 'OKP', crv: 'X25519', x: base64url(publicKey) },
      format: 'jwk',
    }),
  })
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
