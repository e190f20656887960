import { createCipheriv, createHash } from 'node:crypto'

/** Bytes that no other name gives and that nothing compresses; the same in every run. */
export function noise(name: string, sizeBytes: number): Buffer {
  const key = createHash('sha256').update(name).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes))
}
