import process from 'node:process'
import { erasureCode, shardSize, type ErasureCode } from '../src/erasure/code.ts'
import { loadNativeEngine, portableEngine } from '../src/erasure/engines.ts'
import type { ErasureEngine } from '../src/erasure/engine.ts'
import { allocateShards } from '../src/erasure/shards.ts'
import { systemClock } from '../src/foundation/system.ts'

/** Speeds in MB (10⁶ bytes) of content a second, on one core, each the best of a few rounds. */
export interface ErasureBenchRow {
  readonly engine: ErasureEngine['name']
  readonly code: string
  readonly contentBytes: number
  /** All parity shards from all data shards. */
  readonly encodeMBps: number
  /** All data shards that are not among the last k shards, from those. */
  readonly decodeMBps: number
  /** The one data shard that a reader lacks most often: the first, from the next k. */
  readonly decodeOneMBps: number
}

const CODES = [
  [1, 3],
  [2, 5],
  [3, 7],
  [3, 10],
  [4, 10],
  [10, 16],
  [10, 30],
  [24, 60],
] as const

/** A full block and a small one as they are stored: padded, and 68 bytes of frame. */
const CONTENT_SIZES = [2 ** 20 + 68, 2 ** 14 + 68] as const

/** How many rounds the best is taken of, and how long each lasts at least. */
export interface ErasureBenchEffort {
  readonly rounds: number
  readonly roundMs: number
}

export function benchErasure(
  effort: ErasureBenchEffort = { rounds: 5, roundMs: 60 },
): ErasureBenchRow[] {
  const engines = [loadNativeEngine(), portableEngine].filter((engine) => engine !== undefined)
  return engines.flatMap((engine) =>
    CONTENT_SIZES.flatMap((contentBytes) =>
      CODES.map(([required, total]) =>
        measure(engine, { code: erasureCode(required, total), contentBytes, effort }),
      ),
    ),
  )
}

function measure(
  engine: ErasureEngine,
  {
    code,
    contentBytes,
    effort,
  }: { code: ErasureCode; contentBytes: number; effort: ErasureBenchEffort },
): ErasureBenchRow {
  const k = code.required
  const size = shardSize(code, contentBytes)
  const data = allocateShards(k, size)
  for (const shard of data) shard.forEach((_, index) => (shard[index] = (index * 31) >> 3))
  const parity = allocateShards(code.total - k, size)
  engine.encode(code, data, parity)

  const shares = [...data, ...parity].map((shard, index) => ({ index, shard: shard.slice() }))
  const last = shares.slice(-k)
  const lost = shares.slice(0, Math.min(k, code.total - k)).map(({ index }) => index)
  const afterFirst = shares.slice(1, k + 1)
  const speed = (run: () => unknown): number =>
    Math.round(contentBytes / 1e3 / fastestMs(run, effort))
  return {
    engine: engine.name,
    code: `${k}-of-${code.total}`,
    contentBytes,
    encodeMBps: speed(() => engine.encode(code, data, parity)),
    decodeMBps: speed(() => engine.reconstruct(code, last, lost)),
    decodeOneMBps: speed(() => engine.reconstruct(code, afterFirst, [0])),
  }
}

/** The time of one call in the fastest round: others share the machine, and only ever make it slower. */
function fastestMs(run: () => unknown, { rounds, roundMs }: ErasureBenchEffort): number {
  let fastest = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = systemClock.monotonicMs()
    let calls = 0
    let elapsedMs = 0
    while (elapsedMs < roundMs) {
      run()
      calls++
      elapsedMs = systemClock.monotonicMs() - start
    }
    fastest = Math.min(fastest, elapsedMs / calls)
  }
  return fastest
}

if (import.meta.filename === process.argv[1]) {
  const rows = benchErasure()
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows, undefined, 2))
  else console.table(rows)
}
