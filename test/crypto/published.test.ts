import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/foundation/bytes.ts'
import { merkleRootOfLeaves } from '../../src/crypto/merkle.ts'
import published from '../vectors/crypto-published.json' with { type: 'json' }
import { BACKENDS, hex } from './support.ts'

describe.each(BACKENDS)('the $name backend gives the published answers of', (backend) => {
  it.each(published.sha256.cases)('SHA-256 $digest', ({ message, times, digest }) => {
    const input = new Uint8Array(Buffer.alloc((message.length / 2) * times, message, 'hex'))
    const into = new Uint8Array(40)
    backend.sha256Into(input, into, 4)
    expect(toHex(into)).toBe(`00000000${digest}00000000`)
    expect(toHex(backend.sha256Parts([input.subarray(0, 1), input.subarray(1)]))).toBe(digest)
  })

  it.each(published.hmacSha256.cases)('HMAC-SHA256 $mac', ({ key, message, mac }) => {
    expect(toHex(backend.hmacSha256(hex(key), [hex(message)])).slice(0, mac.length)).toBe(mac)
  })

  it.each(published.hkdfSha256.cases)('HKDF-SHA256 $output', (vector) => {
    const options = {
      salt: hex(vector.salt),
      info: hex(vector.info),
      length: vector.output.length / 2,
    }
    expect(toHex(backend.hkdfSha256(hex(vector.secret), options))).toBe(vector.output)
  })

  it.each(published.chacha20Poly1305.cases)('ChaCha20-Poly1305, nonce $nonce', (vector) => {
    const box = boxOf(vector)
    const sealed = new Uint8Array(vector.sealed.length / 2)
    backend.sealChaCha20Poly1305(box, hex(vector.plaintext), sealed)
    expect(toHex(sealed)).toBe(vector.sealed)
    expect(backend.openChaCha20Poly1305(box, sealed)).toEqual(hex(vector.plaintext))
  })

  it.each(published.xchacha20Poly1305.cases)('XChaCha20-Poly1305, nonce $nonce', (vector) => {
    const box = boxOf(vector)
    const sealed = backend.sealXChaCha20Poly1305(box, hex(vector.plaintext))
    expect(toHex(sealed)).toBe(vector.sealed)
    expect(backend.openXChaCha20Poly1305(box, sealed)).toEqual(hex(vector.plaintext))
  })

  it.each(published.ed25519.cases)('Ed25519, key $publicKey', (vector) => {
    const publicKey = backend.publicKeyOf(hex(vector.seed))
    const message = hex(vector.message)
    const signature = backend.signerOf(hex(vector.seed)).sign(message)
    expect(toHex(publicKey)).toBe(vector.publicKey)
    expect(toHex(signature)).toBe(vector.signature)
    expect(backend.verify({ publicKey, message, signature })).toBe(true)
  })

  it.each(published.scrypt.cases)('scrypt, N = $cost', ({ password, salt, output, ...cost }) => {
    const options = { ...cost, salt: hex(salt), length: output.length / 2 }
    expect(toHex(backend.scrypt(hex(password), options))).toBe(output)
  })

  it.each(published.merkle.roots.map((root, leaves) => ({ root, leaves })))(
    'the Merkle tree of $leaves leaves',
    ({ root, leaves }) => {
      const input = published.merkle.leaves.slice(0, leaves).map(hex)
      expect(toHex(merkleRootOfLeaves(input, backend))).toBe(root)
    },
  )
})

function boxOf(vector: { key: string; nonce: string; associatedData: string }) {
  return {
    key: hex(vector.key),
    nonce: hex(vector.nonce),
    associatedData: hex(vector.associatedData),
  }
}
