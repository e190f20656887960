import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountSecret } from '../../src/capabilities/account.ts'
import type { Clock } from '../../src/foundation/clock.ts'
import { LocalFiles, type FileSignature } from '../../src/home/local-files.ts'
import { temporaryFolder } from '../support/temporary.ts'

const NOW_MS = 1_700_000_000_000
const clock: Clock = { nowMs: () => NOW_MS, monotonicMs: () => 0, after: () => () => undefined }
const account = accountSecret(new Uint8Array(32).fill(1))
const CONTENT = Uint8Array.of(1, 2, 3)

const ns = (ms: number): bigint => BigInt(ms) * 1_000_000n
const OLD: FileSignature = {
  sizeBytes: 5n,
  mtimeNs: ns(NOW_MS - 10_000),
  ctimeNs: ns(NOW_MS - 10_000),
  inode: 7n,
}

const opened = async (directory: string, pair = 'pair'): Promise<LocalFiles> =>
  await LocalFiles.open(directory, pair, { account, clock })

describe('what is remembered of local files', () => {
  it('is given back after it was saved, for that very file, state, content and pair', async () => {
    const directory = join(await temporaryFolder(), 'local-files')
    const files = await opened(directory)
    files.remember('a/b', OLD, CONTENT)
    await files.save()
    const again = await opened(directory)
    expect(again.isUnchanged('a/b', OLD, CONTENT)).toBe(true)
    expect(again.isUnchanged('a', OLD, CONTENT)).toBe(false)
    expect(again.isUnchanged('a/b', OLD, Uint8Array.of(9))).toBe(false)
    expect((await opened(directory, 'other')).isUnchanged('a/b', OLD, CONTENT)).toBe(false)
  })

  it('is void once any part of the signature differs', async () => {
    const files = await opened(await temporaryFolder())
    files.remember('a', OLD, CONTENT)
    const part = fc.constantFrom('sizeBytes', 'mtimeNs', 'ctimeNs', 'inode')
    fc.assert(
      fc.property(part, fc.bigInt(0n, 2n ** 63n), (name, value) => {
        fc.pre(value !== OLD[name as keyof FileSignature])
        expect(files.isUnchanged('a', { ...OLD, [name]: value }, CONTENT)).toBe(false)
      }),
    )
  })

  it('leaves out what was written to within two seconds, whose times may stay as they are', async () => {
    const files = await opened(await temporaryFolder())
    for (const [mtime, ctime, isKept] of [
      [NOW_MS - 2_000, NOW_MS - 2_001, true],
      [NOW_MS - 1_999, NOW_MS - 10_000, false],
      [NOW_MS - 10_000, NOW_MS - 1_000, false],
      [NOW_MS - 10_000, NOW_MS + 5_000, false],
      [NOW_MS + 3_600_000, NOW_MS - 10_000, true],
    ] as const) {
      const young = { ...OLD, mtimeNs: ns(mtime), ctimeNs: ns(ctime) }
      files.remember('a', OLD, CONTENT)
      files.remember('a', young, CONTENT)
      expect(files.isUnchanged('a', young, CONTENT)).toBe(isKept)
      expect(files.isUnchanged('a', OLD, CONTENT)).toBe(false)
    }
  })

  it('is forgotten where the file is damaged, and tells neither names nor contents', async () => {
    const directory = await temporaryFolder()
    const files = await opened(directory)
    files.remember('my secret name', OLD, CONTENT)
    await files.save()
    const path = join(directory, (await readdir(directory))[0] ?? '')
    const bytes = await readFile(path)
    expect(bytes).toHaveLength(32 + 32)
    expect(bytes.toString('latin1')).not.toContain('secret')
    bytes[3] = (bytes[3] ?? 0) ^ 1
    await writeFile(path, bytes)
    expect((await opened(directory)).isUnchanged('my secret name', OLD, CONTENT)).toBe(false)
    await writeFile(path, 'short')
    expect((await opened(directory)).isUnchanged('my secret name', OLD, CONTENT)).toBe(false)
  })
})
