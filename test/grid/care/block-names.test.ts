import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { BlockNameList, BlockNames } from '../../../src/grid/care/block-names.ts'
import { blockId } from '../../../src/protocol/block-id.ts'

const anId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(blockId)

it('a set of blocks has those that were added, in any order, and no others', () => {
  fc.assert(
    fc.property(fc.array(anId, { maxLength: 200 }), fc.array(anId), (added, others) => {
      const list = new BlockNameList()
      for (const id of added) list.add(id)
      const names = new BlockNames(list.sorted().bytes)
      for (const id of added) expect(names.has(id)).toBe(true)
      const prefixes = new Set(added.map((id) => id.subarray(0, 12).join()))
      for (const id of others) expect(names.has(id)).toBe(prefixes.has(id.subarray(0, 12).join()))
    }),
  )
  expect(new BlockNames(new Uint8Array(13)).has(blockId(new Uint8Array(32)))).toBe(false)
})
