import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KnownBlocksFile } from '../../src/home/known-blocks-file.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { temporaryFolder } from '../support/temporary.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

function opened(path: string): KnownBlocksFile {
  const file = KnownBlocksFile.open(path)
  if (file === undefined) throw new Error('the file does not open')
  return file
}

describe('a file of known blocks', () => {
  it('never gives an id that was not remembered for that very name', async () => {
    const folder = await temporaryFolder()
    using file = opened(join(folder, 'known-blocks'))
    fc.assert(
      fc.property(bytes32, bytes32, bytes32, bytes32, (name, id, other, otherId) => {
        fc.pre(Buffer.compare(name, other) !== 0)
        file.remember(name, blockId(id))
        expect(file.idOf(name)).toEqual(id)
        // In the very same row.
        const neighbour = Uint8Array.from([...name.subarray(0, 4), ...other.subarray(4)])
        fc.pre(Buffer.compare(name, neighbour) !== 0)
        expect(file.idOf(neighbour)).toBeUndefined()
        file.remember(neighbour, blockId(otherId))
        expect(file.idOf(neighbour)).toEqual(otherId)
        expect(file.idOf(name)).toBeUndefined()
      }),
    )
  })

  it('outlives the process that wrote it, and is shared by two', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'known-blocks')
    const name = new Uint8Array(32).fill(7)
    using first = opened(path)
    using second = opened(path)
    first.remember(name, blockId(new Uint8Array(32).fill(1)))
    expect(second.idOf(name)).toEqual(new Uint8Array(32).fill(1))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('forgets a row of which any bit rotted', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'known-blocks')
    const name = new Uint8Array(32)
    {
      using file = opened(path)
      file.remember(name, blockId(new Uint8Array(32).fill(1)))
    }
    const row = readFileSync(path)
    for (let at = 0; at < row.length; at++) {
      const rotten = Buffer.from(row)
      rotten[at] = (rotten[at] ?? 0) ^ 1
      writeFileSync(path, rotten)
      using file = opened(path)
      expect(file.idOf(name)).toBeUndefined()
    }
  })

  it('is done without where it cannot be', async () => {
    const folder = await temporaryFolder()
    const path = join(folder, 'known-blocks')
    mkdirSync(path)
    expect(KnownBlocksFile.open(path)).toBeUndefined()
  })
})
