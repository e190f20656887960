import { createHash } from 'node:crypto'

/*
 * Code 1 a second time, as slow and as plain as its definition: symbols are gathered bit by bit from the packets and
 * multiplied one at a time. Shares no line with the engines.
 */

type Symbols = readonly (readonly number[])[]

/** All n shards of `content`. */
export function oracleShards(k: number, n: number, content: Uint8Array): Uint8Array[] {
  const w = n <= 16 ? 4 : 8
  const size = Math.ceil(content.length / (8 * k)) * 8
  const padded = new Uint8Array(k * size)
  padded.set(content)
  const data = Array.from({ length: k }, (_, i) => padded.slice(i * size, (i + 1) * size))
  const parity = Array.from({ length: n - k }, () => new Uint8Array(size))
  const matrix = oracleMatrix(k, n)
  const product = multiplicationTable(w)

  let packet = size / w
  while (packet > 64 && packet % 2 === 0 && (1 + k * w) * packet > 2 ** 20) packet /= 2
  const symbols = new Uint8Array(k)
  for (let stripe = 0; stripe < size; stripe += w * packet) {
    for (let position = 0; position < 8 * packet; position++) {
      const byte = stripe + (position >> 3)
      const shift = position & 7
      for (let c = 0; c < k; c++) {
        let symbol = 0
        for (let bit = 0; bit < w; bit++) {
          symbol |= ((data[c]![byte + bit * packet]! >> shift) & 1) << bit
        }
        symbols[c] = symbol
      }
      for (let r = 0; r < n - k; r++) {
        let sum = 0
        for (let c = 0; c < k; c++) sum ^= product[(matrix[r]![c]! << w) | symbols[c]!]!
        for (let bit = 0; bit < w; bit++) {
          parity[r]![byte + bit * packet]! |= ((sum >> bit) & 1) << shift
        }
      }
    }
  }
  return [...data, ...parity]
}

/** The parity rows, straight from the text of the specification. */
export function oracleMatrix(k: number, n: number): Symbols {
  const w = n <= 16 ? 4 : 8
  const over = (a: number, b: number): number => multiply(w, a, inverse(w, b))
  const rows = Array.from({ length: n - k }, (_, r) =>
    Array.from({ length: k }, (_, c) => over(inverse(w, (k + r) ^ c), inverse(w, k ^ c))),
  )
  return rows.map((row, r) => {
    if (r === 0) return row
    const candidates = row.map((divisor) => row.map((x) => over(x, divisor)))
    const weights = candidates.map((candidate) => candidate.reduce((s, x) => s + ones(w, x), 0))
    return candidates[weights.indexOf(Math.min(...weights))]!
  })
}

/** Ones in the w×w bit matrix of x, whose column a is x·2^a. */
function ones(w: number, x: number): number {
  let count = 0
  for (let a = 0; a < w; a++) {
    for (let bit = 0; bit < w; bit++) count += (multiply(w, x, 1 << a) >> bit) & 1
  }
  return count
}

/** Multiplication of polynomials over GF(2), shift and add, modulo the field's polynomial. */
export function multiply(w: number, a: number, b: number): number {
  const polynomial = w === 4 ? 0x13 : 0x11d
  let product = 0
  for (let bit = 0; bit < w; bit++) if (((b >> bit) & 1) === 1) product ^= a << bit
  for (let bit = 2 * w; bit >= w; bit--) {
    if (((product >> bit) & 1) === 1) product ^= polynomial << (bit - w)
  }
  return product
}

function inverse(w: number, x: number): number {
  for (let y = 1; y < 1 << w; y++) if (multiply(w, x, y) === 1) return y
  throw new Error('zero has no inverse')
}

function multiplicationTable(w: number): Uint8Array {
  return Uint8Array.from({ length: 1 << (2 * w) }, (_, i) =>
    multiply(w, i >> w, i & ((1 << w) - 1)),
  )
}

/** `length` bytes from a seed: SHA-256(seed ‖ counter as 32-bit big-endian), counter 0, 1, …, cut to length. */
export function expandSeed(seed: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  const counter = Buffer.alloc(4)
  for (let offset = 0; offset < length; offset += 32) {
    counter.writeUInt32BE(offset / 32)
    const block = createHash('sha256').update(seed, 'ascii').update(counter).digest()
    bytes.set(block.subarray(0, Math.min(32, length - offset)), offset)
  }
  return bytes
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
