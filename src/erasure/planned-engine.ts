import { assert } from '../foundation/error.ts'
import { SHARD_ALIGNMENT_BYTES, type ErasureCode } from './code.ts'
import type { ErasureEngine } from './engine.ts'
import { decodingPlan, encodingPlan, type XorPlan } from './plan.ts'
import { allocateShards } from './shards.ts'

/** Runs a plan: overwrites each output shard with what the plan makes of the inputs. All shards have one size > 0. */
export type PlanRunner = (
  plan: XorPlan,
  inputs: readonly Uint8Array[],
  outputs: readonly Uint8Array[],
) => void

/** An engine is a way to run plans; everything else is common to all. */
export function plannedEngine(name: ErasureEngine['name'], run: PlanRunner): ErasureEngine {
  return {
    name,

    encode(code, data, parity) {
      assert(data.length === code.required, 'Encoding takes every data shard')
      assert(parity.length === code.total - code.required, 'Encoding makes every parity shard')
      const size = commonSize([...data, ...parity])
      if (size > 0 && parity.length > 0) run(encodingPlan(code), data, parity)
    },

    reconstruct(code, shares, wanted) {
      const ordered = [...shares].sort((a, b) => a.index - b.index)
      const available = ordered.map(({ index }) => index)
      assertIndices(code, available, wanted)
      const inputs = ordered.map(({ shard }) => shard)
      const size = commonSize(inputs)
      const outputs = allocateShards(wanted.length, size)
      if (size > 0 && wanted.length > 0) {
        run(decodingPlan(code, { available, wanted }), inputs, outputs)
      }
      return outputs
    },
  }
}

function assertIndices(
  code: ErasureCode,
  available: readonly number[],
  wanted: readonly number[],
): void {
  const isIndex = (index: number): boolean =>
    Number.isInteger(index) && index >= 0 && index < code.total
  assert(available.every(isIndex) && wanted.every(isIndex), 'A shard index must be below n')
  assert(available.length === code.required, 'Decoding takes exactly k shards')
  assert(new Set(available).size === code.required, 'Decoding takes distinct shards')
}

function commonSize(shards: readonly Uint8Array[]): number {
  const size = shards[0]?.length ?? 0
  assert(
    shards.every((shard) => shard.length === size),
    'Shards of one codeword have one size',
  )
  assert(size % SHARD_ALIGNMENT_BYTES === 0, 'The size of a shard is a multiple of 8 bytes')
  return size
}
