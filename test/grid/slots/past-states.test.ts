import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { slotReadKeyOf, slotWriteKey, slotWriteKeys } from '../../../src/capabilities/slot-keys.ts'
import { fromHex, toHex } from '../../../src/foundation/bytes.ts'
import { encodeFrame, KIND_HISTORY, type BlockFrame } from '../../../src/grid/blocks/frame.ts'
import type { BlockReference } from '../../../src/grid/files/index-node.ts'
import { encodeContentFields, type SlotContents } from '../../../src/grid/slots/contents.ts'
import { recordHistory, walkHistory, type PastState } from '../../../src/grid/slots/history.ts'
import { openRecord, sealRecord } from '../../../src/grid/slots/seal.ts'
import { blockId } from '../../../src/protocol/block-id.ts'
import { decodeSlotRecord } from '../../../src/protocol/slot-record.ts'
import { tagHex } from '../../../src/protocol/version-vector.ts'
import { someBytes } from '../../support/grid.ts'

/** A store without a grid: references are numbers. */
class TrialStore {
  readonly frames = new Map<string, BlockFrame>()

  async put(frame: BlockFrame): Promise<BlockReference> {
    const key = new Uint8Array(32).fill(this.frames.size + 1)
    const named = { key, id: blockId(key) }
    this.frames.set(toHex(key), frame)
    return await Promise.resolve(named)
  }

  async get({ key }: BlockReference): Promise<BlockFrame> {
    return await Promise.resolve(this.frames.get(toHex(key)) as BlockFrame)
  }
}

describe('history', () => {
  it('has every state that was replaced once, the last changed first, however they were merged', async () => {
    // Each turn replaces so many heads by one.
    const turns = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(turns, async (widths) => {
        const store = new TrialStore()
        let time = 1
        let heads: SlotContents[] = [{ kind: 'file', parents: [], modifiedMs: time }]
        let replaced = 0
        for (const width of widths) {
          const parents = await recordHistory(
            store,
            heads.map((state) => ({ contents: state })),
          )
          expect(parents.length).toBeLessThanOrEqual(3)
          replaced += heads.length
          heads = Array.from({ length: width }, () => {
            time += 1
            return { kind: 'file' as const, parents, modifiedMs: time }
          })
        }
        const past: PastState[] = []
        for await (const state of walkHistory(store, heads)) past.push(state)
        const times = past.map(({ contents: { modifiedMs } }) => modifiedMs ?? 0)
        expect(times).toEqual(Array.from({ length: replaced }, (_, at) => replaced - at))
      }),
      { numRuns: 30 },
    )
  })

  it('has what records and blocks carry, each state once though several have it', async () => {
    const state = (time: number): { inline: Uint8Array; modifiedMs: number } => ({
      inline: someBytes(20, time),
      modifiedMs: time,
    })
    const alone = (time: number): SlotContents => ({
      kind: 'file',
      ...state(time),
      sizeBytes: 20,
      parents: [],
    })
    const store = new TrialStore()
    const oldest = await recordHistory(store, [{ contents: alone(1) }])
    const block = { ...alone(3), carried: [state(2)], parents: oldest }
    const parents = await recordHistory(store, [{ contents: block }])
    const heads = [
      { ...alone(6), carried: [state(4)], parents },
      { ...alone(7), carried: [state(5), state(4), state(3), state(2)], parents: oldest },
    ]
    const times: (number | undefined)[] = []
    for await (const { contents } of walkHistory(store, heads)) {
      expect(contents.inline).toEqual(state(contents.modifiedMs ?? 0).inline)
      times.push(contents.modifiedMs)
    }
    expect(times).toEqual([5, 4, 3, 2, 1])
  })
})

interface Vector {
  readonly writeKey: string
  readonly nonce: string
  readonly tag: string
  readonly counter: number
  readonly parentKeys: readonly string[]
  readonly parentIds: readonly string[]
  readonly modifiedMs: number
  readonly cbor: string
  readonly record: string
  readonly historyFrame: string
}

interface Vectors {
  readonly records: readonly (Vector & {
    readonly rootKey: string
    readonly rootId: string
    readonly sizeBytes: number
    readonly device: string
  })[]
  readonly inline: readonly (Vector & {
    readonly device?: string
    readonly content: string
    readonly carried: readonly { content: string; modifiedMs: number; device?: string }[]
  })[]
}

const bytesOf = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

describe('frozen vectors', () => {
  const file = new URL('../../vectors/slot-states.json', import.meta.url)
  const { records, inline } = JSON.parse(readFileSync(file, 'utf8')) as Vectors
  const parentsIn = ({ parentKeys, parentIds }: Vector): BlockReference[] =>
    parentKeys.map((key, at) => ({
      key: bytesOf(key),
      id: blockId(bytesOf(parentIds[at] as string)),
    }))

  it.each(records)('record %#', async (vector) => {
    await expectVector(vector, {
      kind: 'file',
      root: { key: bytesOf(vector.rootKey), id: blockId(bytesOf(vector.rootId)) },
      parents: parentsIn(vector),
      sizeBytes: vector.sizeBytes,
      modifiedMs: vector.modifiedMs,
      device: vector.device,
    })
  })

  it.each(inline)('record with its content %#', async (vector) => {
    const carried = vector.carried.map(({ content, ...rest }) => ({
      inline: bytesOf(content),
      ...rest,
    }))
    const { device: name, content, modifiedMs } = vector
    await expectVector(vector, {
      kind: 'file',
      parents: parentsIn(vector),
      sizeBytes: content.length / 2,
      modifiedMs,
      ...(name !== undefined && { device: name }),
      inline: bytesOf(content),
      ...(carried.length > 0 && { carried }),
    })
  })

  async function expectVector(vector: Vector, state: SlotContents): Promise<void> {
    const writeKey = slotWriteKey(bytesOf(vector.writeKey))
    const own = slotWriteKeys(writeKey)
    expect(toHex(encodeContentFields(state))).toBe(vector.cbor)
    const made = sealRecord(
      own,
      {
        contents: state,
        clock: new Map([[tagHex(bytesOf(vector.tag)), vector.counter]]),
        expiresS: 0,
      },
      { bytes: () => bytesOf(vector.nonce) },
    )
    expect(toHex(made)).toBe(vector.record)
    const record = decodeSlotRecord(bytesOf(vector.record))
    expect(openRecord(slotReadKeyOf(writeKey), record).contents).toEqual(state)
    const store = new TrialStore()
    const [past] = await recordHistory(store, [{ contents: state }])
    const frame = await store.get(past as BlockReference)
    expect(frame.kind).toBe(KIND_HISTORY)
    expect(toHex(encodeFrame(frame).whole)).toBe(vector.historyFrame)
  }
})
