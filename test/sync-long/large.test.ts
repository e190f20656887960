import { createHash, createCipheriv } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { expect, it } from 'vitest'
import { until } from '../end-to-end/grid.ts'
import { SyncedPair } from './synced-pair.ts'

/** It wants four times as much room on the disk, and as much again for a moment. */
const SIZE_BYTES = Number(process.env['HAYLOFT_HUGE_MIB'] ?? 5 * 1024) * 2 ** 20
const MEMORY_BYTES = 500 * 2 ** 20
const PIECE_BYTES = 2 ** 20
const EDIT_BYTES = 2 ** 20

/** Bytes that nothing compresses, a piece at a time. */
async function writeHuge(path: string): Promise<void> {
  const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 7), Buffer.alloc(16))
  const zeros = Buffer.alloc(PIECE_BYTES)
  const file = await open(path, 'wx')
  try {
    for (let at = 0; at < SIZE_BYTES; at += PIECE_BYTES) await file.write(cipher.update(zeros))
  } finally {
    await file.close()
  }
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

it(
  'has a file of 5 GiB and an edit of it, in bounded memory and with no byte too many',
  async () => {
    await using pair = await SyncedPair.start()
    await writeHuge(pair.at('desk', '..', 'huge'))
    await rename(pair.at('desk', '..', 'huge'), pair.at('desk', 'huge'))
    const isWhole = async (): Promise<boolean> =>
      (await stat(pair.at('lap', 'huge')).catch(() => undefined))?.size === SIZE_BYTES
    await until(isWhole)
    const before = await digest(pair.at('desk', 'huge'))
    expect(await digest(pair.at('lap', 'huge'))).toBe(before)
    const traffic = { desk: await pair.traffic('desk'), lap: await pair.traffic('lap') }
    const file = await open(pair.at('desk', 'huge'), 'r+')
    await file.write(Buffer.alloc(EDIT_BYTES, 1), 0, EDIT_BYTES, SIZE_BYTES / 2)
    await file.close()
    const after = await digest(pair.at('desk', 'huge'))
    const { ino } = await stat(pair.at('lap', 'huge'))
    await until(async () => (await stat(pair.at('lap', 'huge'))).ino !== ino)
    expect(await digest(pair.at('lap', 'huge'))).toBe(after)
    const received = (await pair.traffic('lap')).received - traffic.lap.received
    const sent = (await pair.traffic('desk')).sent - traffic.desk.sent
    // The block itself, an index of 5 × 1,024 blocks in six blocks of 100 KiB, and questions.
    expect(received).toBeLessThan(3 * EDIT_BYTES + SIZE_BYTES / 2_000)
    expect(sent).toBeLessThan(3 * 2 * EDIT_BYTES + SIZE_BYTES / 2_000)
    for (const side of ['desk', 'lap'] as const) {
      expect(await pair.peakMemory(side)).toBeLessThan(MEMORY_BYTES)
    }
  },
  60 * 60_000,
)
