import { createRequire } from 'node:module'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erasureCode, shardSize, type ErasureCode } from '../../src/erasure/code.ts'
import type { ErasureEngine } from '../../src/erasure/engine.ts'
import { loadErasureEngine, loadNativeEngine, portableEngine } from '../../src/erasure/engines.ts'
import { createNativeEngine } from '../../src/erasure/native-engine.ts'
import { allocateShards } from '../../src/erasure/shards.ts'
import vectors from '../vectors/erasure-code-1.json' with { type: 'json' }
import { expandSeed, oracleMatrix, oracleShards, sha256Hex } from './oracle.ts'

// The addon is optional to users. Here it is not: without it half of what follows would hold of nothing.
const native = loadNativeEngine()
if (native === undefined) throw new Error('These tests need @ronomon/reed-solomon; run npm install')
const engines: ErasureEngine[] = [native, portableEngine]

const MIB = 2 ** 20

/** Codes, mostly small ones, on both sides of the change of fields between n = 16 and 17. */
const anyCode: fc.Arbitrary<ErasureCode> = fc
  .tuple(fc.integer({ min: 1, max: 24 }), fc.oneof(fc.nat(8), fc.nat(40)))
  .map(([k, parity]) => erasureCode(k, k + parity))

const anyLength = fc.oneof(
  fc.integer({ min: 1, max: 600 }),
  fc.integer({ min: 1, max: 20_000 }),
  fc.integer({ min: 1, max: 300_000 }),
)

/** A code and an order of its shards. */
const codeAndOrder = anyCode.chain((code) => {
  const indices = Array.from({ length: code.total }, (_, index) => index)
  return fc.tuple(
    fc.constant(code),
    fc.shuffledSubarray(indices, { minLength: code.total, maxLength: code.total }),
  )
})

describe.each(engines)('the $name engine', (engine) => {
  test('rebuilds every shard, data or parity, from any k, in any order', () => {
    fc.assert(
      fc.property(codeAndOrder, anyLength, ([code, order], length) => {
        const shards = encodeSeed(engine, code, { seed: 'any k of n', length })
        const available = order.slice(0, code.required)
        const given = available.map((index) => ({ index, shard: shards[index]! }))
        const rebuilt = engine.reconstruct(code, given, order)
        order.forEach((index, position) => {
          expectEqualBytes(rebuilt[position]!, shards[index]!, `shard ${index}`)
        })
      }),
      { numRuns: 60 },
    )
  })

  test('gives what evaluating the code symbol by symbol gives', () => {
    fc.assert(
      fc.property(anyCode, fc.integer({ min: 1, max: 6000 }), (code, length) => {
        const content = expandSeed('oracle', length)
        const expected = oracleShards(code.required, code.total, content)
        const shards = encodeSeed(engine, code, { seed: 'oracle', length })
        expected.forEach((shard, index) => {
          expectEqualBytes(shards[index]!, shard, `shard ${index}`)
        })
      }),
      { numRuns: 40 },
    )
  })

  test('rebuilds 3-of-10 from each of its 120 sets of shards', () => {
    const code = erasureCode(3, 10)
    const shards = encodeSeed(engine, code, { seed: 'all sets', length: 4000 })
    for (let a = 0; a < 10; a++) {
      for (let b = a + 1; b < 10; b++) {
        for (let c = b + 1; c < 10; c++) {
          const given = [c, a, b].map((index) => ({ index, shard: shards[index]! }))
          const rebuilt = engine.reconstruct(code, given, [0, 1, 2])
          rebuilt.forEach((shard, index) =>
            expectEqualBytes(shard, shards[index]!, `${a} ${b} ${c}`),
          )
        }
      }
    }
  })

  test('takes shards that start at any address, and touches nothing around its outputs', () => {
    const code = erasureCode(3, 7)
    const size = 24_008
    const expected = encodeSeed(engine, code, { seed: 'unaligned', length: 3 * size })
    const apart = expected.map((_, index) =>
      new Uint8Array(size + 32).fill(0xa5).subarray(index + 1),
    )
    const shards = apart.map((bytes) => bytes.subarray(0, size))
    for (let index = 0; index < 3; index++) shards[index]!.set(expected[index]!)
    engine.encode(code, shards.slice(0, 3), shards.slice(3))
    expected.forEach((shard, index) => expectEqualBytes(shards[index]!, shard, `shard ${index}`))
    for (const bytes of apart) {
      expect(new Uint8Array(bytes.buffer, 0, bytes.byteOffset).every((b) => b === 0xa5)).toBe(true)
      expect(bytes.subarray(size).every((b) => b === 0xa5)).toBe(true)
    }
    const given = [6, 2, 4].map((index) => ({ index, shard: shards[index]! }))
    const [first] = engine.reconstruct(code, given, [0])
    expectEqualBytes(first!, expected[0]!, 'rebuilt')
  })

  test('leaves the shards that it is given as they are', () => {
    const code = erasureCode(4, 9)
    const shards = encodeSeed(engine, code, { seed: 'unchanged', length: 50_000 })
    const before = shards.map(sha256Hex)
    const given = [8, 1, 5, 7].map((index) => ({ index, shard: shards[index]! }))
    engine.reconstruct(code, given, [0, 2, 3, 4, 6])
    expect(shards.map(sha256Hex)).toEqual(before)
  })

  test('copies where k = 1', () => {
    const shards = encodeSeed(engine, erasureCode(1, 5), { seed: 'copies', length: 70_000 })
    for (const shard of shards) expectEqualBytes(shard, shards[0]!, 'copy')
  })

  test('makes the first parity shard the XOR of the data', () => {
    const shards = encodeSeed(engine, erasureCode(5, 6), { seed: 'xor', length: 9999 })
    const xor = shards[5]!.map((_, i) => shards.slice(0, 5).reduce((sum, s) => sum ^ s[i]!, 0))
    expectEqualBytes(shards[5]!, xor, 'parity')
  })

  test('has nothing to do for n = k, for nothing wanted, and for empty shards', () => {
    const whole = encodeSeed(engine, erasureCode(4, 4), { seed: 'whole', length: 100 })
    expect(whole).toHaveLength(4)
    const given = whole.map((shard, index) => ({ index, shard }))
    expect(engine.reconstruct(erasureCode(4, 4), given, [])).toEqual([])
    expectEqualBytes(engine.reconstruct(erasureCode(4, 4), given, [3])[0]!, whole[3]!, 'shard 3')

    engine.encode(erasureCode(1, 2), [new Uint8Array(0)], [new Uint8Array(0)])
    const empty = [{ index: 1, shard: new Uint8Array(0) }]
    expect(engine.reconstruct(erasureCode(1, 2), empty, [0])).toEqual([new Uint8Array(0)])
  })

  test('asserts what its caller has to see to', () => {
    const code = erasureCode(2, 4)
    const shard = (size: number): Uint8Array => new Uint8Array(size)
    const encode = (data: number[], parity: number[]) => () => {
      engine.encode(code, data.map(shard), parity.map(shard))
    }
    expect(encode([8], [8, 8])).toThrow('every data shard')
    expect(encode([8, 8], [8])).toThrow('every parity shard')
    expect(encode([8, 8], [8, 16])).toThrow('one size')
    expect(encode([12, 12], [12, 12])).toThrow('multiple of 8')

    const rebuild = (indices: number[], wanted: number[]) => () =>
      engine.reconstruct(
        code,
        indices.map((index) => ({ index, shard: shard(8) })),
        wanted,
      )
    expect(rebuild([0], [1])).toThrow('exactly k')
    expect(rebuild([0, 1, 2], [3])).toThrow('exactly k')
    expect(rebuild([2, 2], [1])).toThrow('distinct')
    expect(rebuild([0, 4], [1])).toThrow('below n')
    expect(rebuild([0, 1], [-1])).toThrow('below n')
  })

  test('returns consecutive arrays that start 8-byte aligned', () => {
    const code = erasureCode(2, 5)
    const shards = encodeSeed(engine, code, { seed: 'layout', length: 160 })
    const given = [3, 4].map((index) => ({ index, shard: shards[index]! }))
    const [first, second] = engine.reconstruct(code, given, [0, 1])
    expect(first!.byteOffset % 8).toBe(0)
    expect(second!.buffer).toBe(first!.buffer)
    expect(second!.byteOffset).toBe(first!.byteOffset + first!.length)
  })

  test.each(vectors.cases)('keeps the frozen shards of $k-of-$n, $length bytes', (vector) => {
    const code = erasureCode(vector.k, vector.n)
    const shards = encodeSeed(engine, code, vector)
    expect(shards.map(sha256Hex)).toEqual(vector.sha256)
    const last = shards.map((shard, index) => ({ index, shard })).slice(-vector.k)
    const data = Array.from({ length: vector.k }, (_, index) => index)
    const rebuilt = engine.reconstruct(code, last, data)
    expect(rebuilt.map(sha256Hex)).toEqual(vector.sha256.slice(0, vector.k))
  })
})

describe('the engines agree', () => {
  const sizes = [8, 16, 24, 1024, 2048, 7919 * 8, 8191 * 8]
  test.each([
    [1, 4],
    [2, 2],
    [2, 5],
    [3, 10],
    [4, 16],
    [4, 17],
    [7, 16],
    [10, 30],
    [24, 60],
    [24, 255],
  ])('on %d-of-%d at every size of shard', (k, n) => {
    const code = erasureCode(k, n)
    for (const size of [...sizes, shardSize(code, MIB)]) {
      // The largest code is only worth its seconds where packets are long enough for the addon.
      if (n * size > 8 * MIB) continue
      const content = { seed: `agreement ${size}`, length: k * size }
      const [a, b] = engines.map((engine) => encodeSeed(engine, code, content))
      a!.forEach((shard, index) => expectEqualBytes(shard, b![index]!, `${size}: shard ${index}`))
      const given = a!.map((shard, index) => ({ index, shard })).slice(-k)
      const wanted = [0, k - 1, n - 1]
      const [c, d] = engines.map((engine) => engine.reconstruct(code, given, wanted))
      c!.forEach((shard, index) => expectEqualBytes(shard, d![index]!, `${size}: rebuilt ${index}`))
    }
  })

  // The packets are those of another implementation too, whose own encoder (asynchronous, and with matrices of at most
  // six rows) is given ours.
  test.each([
    [2, 5, 8],
    [3, 8, 349_552],
    [4, 10, 262_168],
    [5, 11, 209_720],
    [12, 18, 87_392],
    [24, 30, 43_696],
  ])(
    'with the encoder of @ronomon/reed-solomon on %d-of-%d, shards of %d bytes',
    async (k, n, size) => {
      const code = erasureCode(k, n)
      const shards = encodeSeed(native, code, { seed: 'differential', length: k * size })
      const data = Buffer.concat(shards.slice(0, k))
      const parity = Buffer.alloc((n - k) * size)
      await encodeWithAddon(code, data, parity)
      expectEqualBytes(parity, Buffer.concat(shards.slice(k)), 'parity')
    },
  )
})

describe('the choice of an engine', () => {
  test('is the native one where it can be loaded, each time the same', () => {
    expect(loadErasureEngine()).toBe(native)
    expect(loadNativeEngine()).toBe(native)
    expect(native.name).toBe('native')
    expect(portableEngine.name).toBe('portable')
  })

  test('is not native where the addon is absent or something else', () => {
    const absent = (): never => {
      throw new Error("Cannot find module '@ronomon/reed-solomon'")
    }
    expect(createNativeEngine(absent)).toBeUndefined()
    expect(createNativeEngine(() => undefined)).toBeUndefined()
    expect(createNativeEngine(() => ({ encode: absent }))).toBeUndefined()
  })
})

function encodeSeed(
  engine: ErasureEngine,
  code: ErasureCode,
  { seed, length }: { seed: string; length: number },
): Uint8Array[] {
  const size = shardSize(code, length)
  const shards = allocateShards(code.total, size)
  const padded = new Uint8Array(code.required * size)
  padded.set(expandSeed(seed, length))
  const data = shards.slice(0, code.required)
  data.forEach((shard, index) => shard.set(padded.subarray(index * size, (index + 1) * size)))
  engine.encode(code, data, shards.slice(code.required))
  return shards
}

/** Faster than `toEqual`, which walks long arrays element by element. */
function expectEqualBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (Buffer.compare(actual, expected) !== 0) expect.fail(`${what} differs`)
}

interface Addon {
  encode(
    context: Buffer,
    sources: number,
    targets: number,
    data: Buffer,
    dataOffset: number,
    dataSize: number,
    parity: Buffer,
    parityOffset: number,
    paritySize: number,
    end: () => void,
  ): void
}

async function encodeWithAddon(code: ErasureCode, data: Buffer, parity: Buffer): Promise<void> {
  const addon = createRequire(import.meta.url)('@ronomon/reed-solomon') as Addon
  const [k, n] = [code.required, code.total]
  const sources = 2 ** k - 1
  const targets = 2 ** n - 2 ** k
  await new Promise<void>((resolve) => {
    const context = addonContext(k, n)
    addon.encode(context, sources, targets, data, 0, data.length, parity, 0, parity.length, resolve)
  })
}

/** w, k, m, then one byte for each bit of the bit matrix: parity row, bit, column, bit. */
function addonContext(k: number, n: number): Buffer {
  const w = n <= 16 ? 4 : 8
  const bits: number[] = []
  for (const row of oracleMatrix(k, n)) {
    for (let bit = 0; bit < w; bit++) {
      for (const element of row) {
        for (let a = 0; a < w; a++) bits.push((timesPowerOfTwo(w, element, a) >> bit) & 1)
      }
    }
  }
  return Buffer.from([w, k, n - k, ...bits])
}

function timesPowerOfTwo(w: number, element: number, exponent: number): number {
  let product = element
  for (let i = 0; i < exponent; i++) {
    product <<= 1
    if (product >> w === 1) product ^= w === 4 ? 0x13 : 0x11d
  }
  return product
}
