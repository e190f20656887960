import { assert } from '../foundation/error.ts'
import type { ErasureEngine } from './engine.ts'
import { packetSize } from './plan.ts'
import { plannedEngine, type PlanRunner } from './planned-engine.ts'
import { runPortably } from './portable-engine.ts'

/** What is used of @ronomon/reed-solomon 6.0.0: target[…] ^= source[…], synchronously. */
interface XorAddon {
  XOR(
    source: Uint8Array,
    sourceOffset: number,
    target: Uint8Array,
    targetOffset: number,
    size: number,
  ): void
}

/**
 * Slices of this size leave the calls' overhead (about 0.1 µs each) small, and the slices of all input packets of a
 * stripe in the second-level cache while every output packet reads them.
 */
const SLICE_BYTES = 2 ** 14

/** Below this the calls cost more than what the portable engine takes for the whole. */
const SMALLEST_PACKET_BYTES = 256

/**
 * Code 1 on the addon's vectorized XOR.
 *
 * Not on its `encode`: that runs on libuv's thread pool only, codes at most 6 parity shards a call, and wants its
 * shards consecutive in memory, which shares that came from k peers are not. `XOR` returns when it is done and takes
 * shards where they lie.
 * @param load gives the addon's exports, or throws
 * @returns undefined where the addon was not installed or cannot be loaded
 */
export function createNativeEngine(load: () => unknown): ErasureEngine | undefined {
  try {
    const addon = load()
    return isXorAddon(addon) ? plannedEngine('native', planRunner(addon)) : undefined
  } catch {
    // Absent, or built for another system: the portable engine gives the same bytes.
    return undefined
  }
}

function isXorAddon(addon: unknown): addon is XorAddon {
  return (
    typeof addon === 'object' && addon !== null && 'XOR' in addon && typeof addon.XOR === 'function'
  )
}

function planRunner(addon: XorAddon): PlanRunner {
  return (plan, inputs, outputs) => {
    const w = plan.packetsPerStripe
    const shardBytes = inputs[0]?.length ?? 0
    const packetBytes = packetSize(plan, shardBytes)
    if (packetBytes < SMALLEST_PACKET_BYTES) {
      runPortably(plan, inputs, outputs)
      return
    }

    const runSlice = (offset: number, size: number): void => {
      outputs.forEach((output, index) => {
        for (let packet = 0; packet < w; packet++) {
          const to = offset + packet * packetBytes
          let isFirst = true
          for (const source of plan.sources[index * w + packet] ?? []) {
            const input = inputs[Math.floor(source / w)]
            assert(input !== undefined, 'A plan names only packets of its inputs')
            const from = offset + (source % w) * packetBytes
            if (isFirst) output.set(input.subarray(from, from + size), to)
            else addon.XOR(input, from, output, to, size)
            isFirst = false
          }
        }
      })
    }

    for (let stripe = 0; stripe < shardBytes; stripe += w * packetBytes) {
      for (let start = 0; start < packetBytes; start += SLICE_BYTES) {
        runSlice(stripe + start, Math.min(SLICE_BYTES, packetBytes - start))
      }
    }
  }
}
