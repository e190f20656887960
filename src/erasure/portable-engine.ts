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
export const portableEngine: ErasureEngine = plannedEngine('portable', runPortably)

/** Fits the second-level cache of any machine of the last ten years beside the shards that stream through it. */
const WORKSPACE_BYTES = 2 ** 18

/** Longer slices do not amortize the calls any further, and two of them still fit the first-level cache. */
const MAX_SLICE_BYTES = 2 ** 13

/** Every slot is a whole number of these long and starts at one. */
const WORD_BYTES = 4

/** Keeps slots from starting at equal offsets within memory pages, where loads wait for unrelated stores. */
const SLOT_PADDING_BYTES = 64

const workspace = new Int32Array(WORKSPACE_BYTES / WORD_BYTES)
const workspaceBytes = new Uint8Array(workspace.buffer)

/** Runs a plan in plain TypeScript; best for short packets on the native engine too, where calls cost more than XORs. */
export function runPortably(
  plan: XorPlan,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
): void {
  const w = plan.packetsPerStripe
  const shardBytes = inputs[0]?.length ?? 0
  const packetBytes = packetSize(plan, shardBytes)
  const slotCount = plan.inputs * w + 1
  const longestSlice = Math.min(
    wholeWords(WORKSPACE_BYTES / slotCount) * WORD_BYTES - SLOT_PADDING_BYTES,
    MAX_SLICE_BYTES,
  )
  const slotBytes = longestSlice + SLOT_PADDING_BYTES
  const target = slotBytes * (slotCount - 1)

  /** Codes `size` bytes of every packet of one stripe, the first of them at `offset` in each shard. */
  const runSlice = (offset: number, size: number): void => {
    let slot = 0
    for (const input of inputs) {
      for (let packet = 0; packet < w; packet++) {
        const from = offset + packet * packetBytes
        workspaceBytes.set(input.subarray(from, from + size), slot)
        slot += slotBytes
      }
    }
    // A last word may be half stale: what follows `size` bytes is not copied out.
    const words = wholeWords(size + WORD_BYTES - 1)
    let row = 0
    for (const output of outputs) {
      for (let packet = 0; packet < w; packet++) {
        xorSlots(
          plan.sources[row++] ?? NO_SOURCES,
          slotBytes / WORD_BYTES,
          target / WORD_BYTES,
          words,
        )
        const result = workspaceBytes.subarray(target, target + size)
        output.set(result, offset + packet * packetBytes)
      }
    }
  }

  for (let stripe = 0; stripe < shardBytes; stripe += w * packetBytes) {
    for (let start = 0; start < packetBytes; start += longestSlice) {
      runSlice(stripe + start, Math.min(longestSlice, packetBytes - start))
    }
  }
}

function wholeWords(bytes: number): number {
  return Math.floor(bytes / WORD_BYTES)
}

const NO_SOURCES = new Uint16Array(0)

/** Writes the XOR of the slots numbered `sources` into the one that starts at word `target`. */
function xorSlots(sources: Uint16Array, slotWords: number, target: number, words: number): void {
  const count = sources.length
  const start = (index: number): number => (sources[index] ?? 0) * slotWords
  if (count === 1) workspace.copyWithin(target, start(0), start(0) + words)
  let sum = start(0)
  for (let done = 1; done < count; done += 3) {
    if (count - done === 1) xor2(target, sum, start(done), words)
    else if (count - done === 2) xor3(target, sum, start(done), start(done + 1), words)
    else xor4(target, sum, start(done), start(done + 1), start(done + 2), words)
    sum = target
  }
}

/*
 * The kernels: target = a ^ b (^ c (^ d)), slots given by their first word. `as number` because every index is
 * inside the workspace, and anything that says so at run time costs more than the XOR.
 */

function xor2(target: number, a: number, b: number, words: number): void {
  const m = workspace
  for (let i = 0; i < words; i++) {
    m[target + i] = (m[a + i] as number) ^ (m[b + i] as number)
  }
}

function xor3(target: number, a: number, b: number, c: number, words: number): void {
  const m = workspace
  for (let i = 0; i < words; i++) {
    m[target + i] = (m[a + i] as number) ^ (m[b + i] as number) ^ (m[c + i] as number)
  }
}

function xor4(target: number, a: number, b: number, c: number, d: number, words: number): void {
  const m = workspace
  for (let i = 0; i < words; i++) {
    m[target + i] =
      (m[a + i] as number) ^ (m[b + i] as number) ^ (m[c + i] as number) ^ (m[d + i] as number)
  }
}
