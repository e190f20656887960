import { open, rm } from 'node:fs/promises'
import { sleep, type Clock } from '../foundation/clock.ts'
import { systemCodeOf } from '../foundation/error.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { readIfThere } from './files.ts'
import { isAlive, processBirth } from './processes.ts'

export interface LockOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** How long another process may hold it. */
  readonly timeoutMs: number
  /** The error where another process holds it longer. */
  readonly lockedTooLong: () => Error
}

/** Runs `work` while no other process holds the lock, a file that names who does. */
export async function withFileLock<T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  await describingFailures(`The file ${path}`, async () => {
    await take(path, options)
  })
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

const POLL_MS = 50

async function take(path: string, options: LockOptions): Promise<void> {
  const { clock, signal, timeoutMs } = options
  const deadlineMs = clock.monotonicMs() + timeoutMs
  const holder = `${process.pid} ${(await processBirth(process.pid)) ?? ''}`
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600)
      await file.writeFile(holder)
      await file.close()
      return
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'EEXIST') throw thrown
    }
    if (await isStale(path)) await rm(path, { force: true })
    else if (clock.monotonicMs() > deadlineMs) throw options.lockedTooLong()
    else await sleep(clock, POLL_MS, signal)
  }
}

/** Whether whoever took it was killed. One just created and still empty belongs to somebody. */
async function isStale(path: string): Promise<boolean> {
  const bytes = await readIfThere(path)
  const match = /^(\d+) (.+)$/.exec(Buffer.from(bytes ?? []).toString('utf8'))
  if (match === null) return false
  return !(await isAlive({ pid: Number(match[1]), birth: match[2] ?? '' }))
}
