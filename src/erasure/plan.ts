import type { ErasureCode } from './code.ts'
import { fieldOf, type Field } from './field.ts'
import { decodingMatrix, parityMatrix, type Matrix } from './matrix.ts'

/**
 * A linear map from shards to shards, spelt out as XORs of packets. Packet `p` of shard `s` (in the order given) has
 * the number s·w + p.
 */
export interface XorPlan {
  readonly inputs: number
  readonly outputs: number
  /** w, the packets a stripe of one shard has: as many as a field element has bits. */
  readonly packetsPerStripe: 4 | 8
  /** For each output packet, in order, the numbers of the input packets whose XOR it is; never empty. */
  readonly sources: readonly Uint16Array[]
}

/** All parity shards from all data shards. */
export function encodingPlan(code: ErasureCode): XorPlan {
  return plans.get(`${code.required}/${code.total}`, () =>
    planOf(fieldOf(code), code.required, parityMatrix(code)),
  )
}

/** The shards `wanted` from the k distinct shards `available`. */
export function decodingPlan(
  code: ErasureCode,
  shards: { available: readonly number[]; wanted: readonly number[] },
): XorPlan {
  const key = `${code.required}/${code.total}:${shards.available.join()}:${shards.wanted.join()}`
  return plans.get(key, () => planOf(fieldOf(code), code.required, decodingMatrix(code, shards)))
}

/**
 * Where packets lie: a shard is cut into stripes of w packets each. The packet is halved until what one output
 * packet needs fits a cache of 1 MiB, as `dot_chunk_size` of @ronomon/reed-solomon does; part of the format.
 */
export function packetSize(
  plan: Pick<XorPlan, 'inputs' | 'packetsPerStripe'>,
  shardBytes: number,
): number {
  const cacheBytes = 2 ** 20
  const smallestHalvedBytes = 64
  let packetBytes = shardBytes / plan.packetsPerStripe
  while (
    packetBytes > smallestHalvedBytes &&
    packetBytes % 2 === 0 &&
    (1 + plan.inputs * plan.packetsPerStripe) * packetBytes > cacheBytes
  ) {
    packetBytes /= 2
  }
  return packetBytes
}

function planOf(field: Field, inputs: number, matrix: Matrix): XorPlan {
  const w = field.bits
  const sources = matrix.flatMap((row) => {
    const packets: number[][] = Array.from({ length: w }, () => [])
    row.forEach((element, input) => {
      // The bit matrix of an element: column `bit` holds the bits of element·2^bit.
      for (let bit = 0; bit < w; bit++) {
        const column = field.multiply(element, 1 << bit)
        packets.forEach((packet, row) => {
          if (((column >> row) & 1) === 1) packet.push(input * w + bit)
        })
      }
    })
    return packets.map((packet) => Uint16Array.from(packet))
  })
  return { inputs, outputs: matrix.length, packetsPerStripe: w, sources }
}

/**
 * Keeps the plans used last, up to a total size. A reader of 3-of-10 meets at most 120 sets of shards, under 200 KB
 * in all; the largest plan, 24-of-255, takes 550 KB. So this holds what anyone uses at one time, and a peer who
 * chooses which shards to return cannot make it grow.
 */
class PlanCache {
  static readonly maxBytes = 4 * 2 ** 20
  readonly #plans = new Map<string, XorPlan>()
  #bytes = 0

  get(key: string, create: () => XorPlan): XorPlan {
    const plan = this.#plans.get(key) ?? create()
    // A Map iterates in the order of insertion: inserting again makes the entry the youngest.
    if (!this.#plans.delete(key)) this.#bytes += bytesOf(plan)
    this.#plans.set(key, plan)
    for (const [oldestKey, oldest] of this.#plans) {
      if (this.#bytes <= PlanCache.maxBytes || oldest === plan) break
      this.#plans.delete(oldestKey)
      this.#bytes -= bytesOf(oldest)
    }
    return plan
  }
}

/** An estimate: the packet numbers and about 100 bytes for each array that holds them. */
function bytesOf(plan: XorPlan): number {
  return plan.sources.reduce((sum, packets) => sum + packets.byteLength + 100, 0)
}

const plans = new PlanCache()
