import { readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SyncedPair, type Side } from '../sync-long/synced-pair.ts'
import { until } from './grid.ts'
import { noise } from './noise.ts'

/** `HAYLOFT_LARGE_MIB=1024 npx vitest run test/end-to-end/sync-resumed.test.ts` tries harder. */
const SIZE_BYTES = Number(process.env['HAYLOFT_LARGE_MIB'] ?? 64) * 2 ** 20
/** Of the file, that may come or go twice: what was in flight, and with small files the grain of what is noted. */
const TWICE_BYTES = Math.max(0.05 * SIZE_BYTES, 20 * 2 ** 20)
/** On four nodes a block has four shares, of which two suffice. */
const SENT_BYTES = SIZE_BYTES * 2
const TIMEOUT_MS = 60_000 + SIZE_BYTES / 2_000

let pair: SyncedPair

beforeAll(async () => {
  pair = await SyncedPair.start()
})
afterAll(async () => {
  await pair[Symbol.asyncDispose]()
})

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function untilAlike(name: string): Promise<void> {
  await until(async () => {
    const size = await stat(pair.at('lap', name)).catch(() => undefined)
    return size?.size === SIZE_BYTES
  })
  expect(await digest(pair.at('lap', name))).toBe(await digest(pair.at('desk', name)))
}

/** Bytes of a content that have come, and wait for the rest. */
async function unfinished(side: Side): Promise<number> {
  const at = (name: string): string => pair.at(side, '.hayloft', 'tmp', name)
  const names = await readdir(at('')).catch(() => [])
  const sizes = names.map(async (name) => (await stat(at(name)).catch(() => ({ size: 0 }))).size)
  return Math.max(0, ...(await Promise.all(sizes)))
}

describe('a large file whose transfer is interrupted at three fifths', () => {
  it(
    'comes on after what had come when the receiver was killed',
    async () => {
      await writeFile(pair.at('desk', 'down'), noise('down', SIZE_BYTES))
      await until(async () => (await unfinished('lap')) >= 0.6 * SIZE_BYTES)
      await pair.killDaemon('lap')
      const left = SIZE_BYTES - (await unfinished('lap'))
      await pair.startDaemon('lap')
      await untilAlike('down')
      expect((await pair.traffic('lap')).received).toBeLessThan(left + TWICE_BYTES)
      await until(async () => (await unfinished('lap')) === 0)
    },
    TIMEOUT_MS,
  )

  it(
    'goes on after what had gone when the sender was killed',
    async () => {
      await pair.killDaemon('desk')
      await writeFile(pair.at('desk', 'up'), noise('up', SIZE_BYTES))
      await pair.startDaemon('desk')
      await until(async () => (await pair.traffic('desk')).sent >= 0.6 * SENT_BYTES)
      const { sent } = await pair.traffic('desk')
      await pair.killDaemon('desk')
      await pair.startDaemon('desk')
      await untilAlike('up')
      const twice = TWICE_BYTES * (SENT_BYTES / SIZE_BYTES)
      expect((await pair.traffic('desk')).sent).toBeLessThan(SENT_BYTES - sent + twice)
    },
    TIMEOUT_MS,
  )

  it(
    'goes on, both ways, when the nodes come back that were away',
    async () => {
      const before = { desk: await pair.traffic('desk'), lap: await pair.traffic('lap') }
      await writeFile(pair.at('desk', 'both'), noise('both', SIZE_BYTES))
      await until(
        async () => (await pair.traffic('desk')).sent - before.desk.sent >= 0.6 * SENT_BYTES,
      )
      await awayForAMoment()
      await until(async () => (await unfinished('lap')) >= 0.6 * SIZE_BYTES)
      await awayForAMoment()
      await untilAlike('both')
      const after = { desk: await pair.traffic('desk'), lap: await pair.traffic('lap') }
      const twice = TWICE_BYTES * (SENT_BYTES / SIZE_BYTES)
      expect(after.desk.sent - before.desk.sent).toBeLessThan(SENT_BYTES + twice)
      expect(after.lap.received - before.lap.received).toBeLessThan(SIZE_BYTES + TWICE_BYTES)
      for (const name of ['down', 'up', 'both']) await rm(pair.at('desk', name))
    },
    TIMEOUT_MS,
  )
})

async function awayForAMoment(): Promise<void> {
  const { grid } = pair
  await grid.stopNodes(grid.nodes.map(({ name }) => name))
  await grid.startNodes()
}
