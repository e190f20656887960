import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto/hash.ts'
import { loadErasureEngine, portableEngine } from '../../src/erasure/engines.ts'
import { erasureCode } from '../../src/erasure/code.ts'
import { toHex, utf8 } from '../../src/foundation/bytes.ts'
import { encodeBlock } from '../../src/grid/blocks/encode.ts'
import { encodeFrame, KIND_DATA } from '../../src/grid/blocks/frame.ts'
import { convergentKey } from '../../src/grid/blocks/seal.ts'
import { seededBytes } from './seeded-bytes.ts'

interface Vector {
  seed: string
  contentBytes: number
  required: number
  total: number
  key: string
  id: string
  shardSha256: string[]
}

const file = new URL('../vectors/share-sets.json', import.meta.url)
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] }

describe('frozen share sets', () => {
  it.each(vectors)('$contentBytes bytes, $required-of-$total', (vector) => {
    for (const engine of [loadErasureEngine(), portableEngine]) {
      const content = seededBytes(vector.seed, vector.contentBytes)
      const frame = encodeFrame({ kind: KIND_DATA, level: 0, links: [], content })
      const key = convergentKey(sha256(utf8(`convergence ${vector.seed}`)), frame)
      const code = erasureCode(vector.required, vector.total)
      const { id, shards } = encodeBlock(engine, { key, frame, code })
      expect({
        key: toHex(key),
        id: toHex(id),
        shardSha256: shards.map((shard) => toHex(sha256(shard))),
      }).toEqual({ key: vector.key, id: vector.id, shardSha256: vector.shardSha256 })
    }
  })
})
