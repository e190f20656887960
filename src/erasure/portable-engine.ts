import { assert } from '../foundation/error.ts'
import type { ErasureEngine } from './engine.ts'
import { packetSize, type XorPlan } from './plan.ts'
import { plannedEngine } from './planned-engine.ts'

/**
 * Code 1 in plain TypeScript, for where there is no native addon.
 *
 * A packet of most blocks starts at no multiple of 4 bytes, so words cannot be XORed where they lie. Slices of all
 * input packets of a stripe are copied side by side into one small workspace instead, which is aligned and stays in
 * the second-level cache while every output packet reads it. One array for all of them also is what V8 compiles
 * best: kernels over several arrays ran at half the speed.
 */
export const portableEngine: ErasureEngine = plannedEngine('portable', runPlan)

/** Fits the second-level cache of any machine of the last ten years beside the shards that stream through it. */
const WORKSPACE_BYTES = 2 ** 18

/** Longer slices do not amortize the calls any further, and two of them still fit the first-level cache. */
const MAX_SLICE_BYTES = 2 ** 13

/** The kernels take 4 words of 4 bytes a turn. */
const SLICE_ALIGNMENT_BYTES = 16

/** Keeps slots from starting at equal offsets within memory pages, where loads wait for unrelated stores. */
const SLOT_PADDING_BYTES = 64

const workspace = new Int32Array(WORKSPACE_BYTES / 4)
const workspaceBytes = new Uint8Array(workspace.buffer)

function runPlan(
  plan: XorPlan,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
): void {
  const w = plan.packetsPerStripe
  const shardBytes = inputs[0]?.length ?? 0
  const packetBytes = packetSize(plan, shardBytes)
  const slotCount = plan.inputs * w + 1
  const longestSlice = Math.min(
    alignDown(WORKSPACE_BYTES / slotCount) - SLOT_PADDING_BYTES,
    MAX_SLICE_BYTES,
  )
  const slotBytes = longestSlice + SLOT_PADDING_BYTES
  const target = slotBytes * (slotCount - 1)
  const offsets = plan.sources.map((packets) =>
    Uint32Array.from(packets, (p) => (p * slotBytes) / 4),
  )

  for (let stripe = 0; stripe < shardBytes; stripe += w * packetBytes) {
    for (let start = 0; start < packetBytes; start += longestSlice) {
      const sliceBytes = Math.min(longestSlice, packetBytes - start)
      const sliceWords = alignDown(sliceBytes + SLICE_ALIGNMENT_BYTES - 1) / 4
      let slot = 0
      for (const input of inputs) {
        for (let packet = 0; packet < w; packet++) {
          const from = stripe + packet * packetBytes + start
          workspaceBytes.set(input.subarray(from, from + sliceBytes), slot)
          slot += slotBytes
        }
      }
      offsets.forEach((sources, row) => {
        const output = outputs[Math.floor(row / w)]
        assert(output !== undefined, 'A plan has w rows an output')
        xorSlots(sources, target / 4, sliceWords)
        output.set(
          workspaceBytes.subarray(target, target + sliceBytes),
          stripe + (row % w) * packetBytes + start,
        )
      })
    }
  }
}

function alignDown(bytes: number): number {
  return Math.floor(bytes / SLICE_ALIGNMENT_BYTES) * SLICE_ALIGNMENT_BYTES
}

function xorSlots(sources: Uint32Array, target: number, words: number): void {
  const count = sources.length
  let a = sources[0] ?? target
  let done = 1
  if (count === 1) workspace.copyWithin(target, a, a + words)
  while (done < count) {
    const b = sources[done] ?? target
    const c = sources[done + 1] ?? target
    const d = sources[done + 2] ?? target
    if (count - done >= 3) xor4(target, a, b, c, d, words)
    else if (count - done === 2) xor3(target, a, b, c, words)
    else xor2(target, a, b, words)
    done += 3
    a = target
  }
}

/*
 * The kernels: target = a ^ b (^ c (^ d)), slots given by their first word. `as number` because the index is always
 * inside the workspace, and anything that says so at run time costs more than the XOR.
 */

function xor2(target: number, a: number, b: number, words: number): void {
  const m = workspace
  for (let i = 0; i < words; i += 4) {
    m[target + i] = (m[a + i] as number) ^ (m[b + i] as number)
    m[target + i + 1] = (m[a + i + 1] as number) ^ (m[b + i + 1] as number)
    m[target + i + 2] = (m[a + i + 2] as number) ^ (m[b + i + 2] as number)
    m[target + i + 3] = (m[a + i + 3] as number) ^ (m[b + i + 3] as number)
  }
}

function xor3(target: number, a: number, b: number, c: number, words: number): void {
  const m = workspace
  for (let i = 0; i < words; i += 4) {
    m[target + i] = (m[a + i] as number) ^ (m[b + i] as number) ^ (m[c + i] as number)
    m[target + i + 1] =
      (m[a + i + 1] as number) ^ (m[b + i + 1] as number) ^ (m[c + i + 1] as number)
    m[target + i + 2] =
      (m[a + i + 2] as number) ^ (m[b + i + 2] as number) ^ (m[c + i + 2] as number)
    m[target + i + 3] =
      (m[a + i + 3] as number) ^ (m[b + i + 3] as number) ^ (m[c + i + 3] as number)
  }
}

function xor4(target: number, a: number, b: number, c: number, d: number, words: number): void {
  const m = workspace
  for (let i = 0; i < words; i++) {
    m[target + i] =
      (m[a + i] as number) ^ (m[b + i] as number) ^ (m[c + i] as number) ^ (m[d + i] as number)
  }
}
