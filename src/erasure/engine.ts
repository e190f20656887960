import type { ErasureCode } from './code.ts'

/**
 * Runs code 1. All engines give the same bytes. They trust their arguments: sizes and indices are checked by
 * assertion only, since whoever received a shard has already compared it with its manifest.
 */
export interface ErasureEngine {
  readonly name: 'native' | 'portable'

  /**
   * @param data the k data shards, of one size, a multiple of 8 bytes
   * @param parity n−k arrays of the same size, apart from `data` in memory; all of their bytes are overwritten
   */
  encode(code: ErasureCode, data: readonly Uint8Array[], parity: readonly Uint8Array[]): void

  /**
   * Rebuilds shards from any k others.
   * @param shares exactly k shards of one size, a multiple of 8 bytes, with distinct indices, in any order
   * @param wanted indices of data or parity shards, 0…n−1
   * @returns new arrays, consecutive in one allocation, in the order of `wanted`
   */
  reconstruct(
    code: ErasureCode,
    shares: readonly IndexedShard[],
    wanted: readonly number[],
  ): Uint8Array[]
}

export interface IndexedShard {
  readonly index: number
  readonly shard: Uint8Array
}
