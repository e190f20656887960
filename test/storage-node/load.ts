import { testBlock, type TestBlock } from '../support/blocks.ts'
import { testRecord, testSlot, type TestSlot } from '../support/slot-records.ts'

/** A block of one share: mostly small ones that go into rows, some that go into files, a few of a usual file's size. */
export function loadBlock(seed: number): TestBlock {
  const ciphertextBytes =
    seed % 17 === 0 ? 350_000 : seed % 3 === 0 ? 20_000 + (seed % 1000) : 600 + (seed % 1000)
  return testBlock(seed, { required: 1, total: 1, ciphertextBytes })
}

const SLOTS = 2
const DEVICES = 3

/** A write to one of few slots by one of few devices, each of which counts on with the seeds: siblings that are replaced. */
export interface LoadWrite {
  readonly slot: TestSlot
  /** Of one device. */
  readonly counters: Readonly<Record<string, number>>
}

const slots = Array.from({ length: SLOTS }, (_, at) => testSlot(at))

export function loadWrite(seed: number): LoadWrite {
  return { slot: slots[seed % SLOTS]!, counters: { [`device ${seed % DEVICES}`]: seed + 1 } }
}

export function loadRecord(seed: number): Uint8Array {
  const { slot, counters } = loadWrite(seed)
  return testRecord(slot, counters)
}
