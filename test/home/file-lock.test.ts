import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { isLocked, tryLock } from '../../src/home/file-lock.ts'

const directory = await mkdtemp(join(tmpdir(), 'lock-file-'))
afterAll(async () => {
  await rm(directory, { recursive: true, force: true })
})

it('one at a time has a lock, and whoever comes after it went', async () => {
  const path = join(directory, 'lock')
  expect(await isLocked(path)).toBe(false)
  const all = await Promise.all(Array.from({ length: 8 }, async () => await tryLock(path)))
  const held = all.filter((lock) => lock !== undefined)
  expect(held).toHaveLength(1)
  expect(await isLocked(path)).toBe(true)
  await held[0]?.[Symbol.asyncDispose]()
  expect(await isLocked(path)).toBe(false)
  await using again = await tryLock(path)
  expect(again?.path).toBe(path)
})

it('a lock whose holder was killed is taken over, by one of those who want it', async () => {
  const path = join(directory, 'stale')
  await writeFile(path, `${process.pid} born at another time`)
  expect(await isLocked(path)).toBe(false)
  const all = await Promise.all(Array.from({ length: 4 }, async () => await tryLock(path)))
  const held = all.filter((lock) => lock !== undefined)
  expect(held.length).toBeLessThanOrEqual(1)
  // They may all have stood in each other's way; then the next one gets it.
  await using lock = held[0] ?? (await tryLock(path))
  expect(lock).toBeDefined()
  const left = await readdir(directory)
  expect(left.filter((name) => name.startsWith('.'))).toEqual([])
})
