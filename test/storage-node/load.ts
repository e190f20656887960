import { testBlock, type TestBlock } from '../support/blocks.ts'

/** A block of one share: mostly small ones that go into rows, some that go into files, a few of a usual file's size. */
export function loadBlock(seed: number): TestBlock {
  const ciphertextBytes =
    seed % 17 === 0 ? 350_000 : seed % 3 === 0 ? 20_000 + (seed % 1000) : 600 + (seed % 1000)
  return testBlock(seed, { required: 1, total: 1, ciphertextBytes })
}
