import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../foundation/clock.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import { EXIT } from '../exit-codes.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { CliError } from '../failures.ts'
import { makePrivateDirectory, readIfThere } from '../../home/files.ts'
import { isAlive, processBirth } from '../../home/processes.ts'
import type { System } from './practice.ts'

/** As long as another start or stop of the same grid may take. */
const LOCK_TIMEOUT_MS = 90_000
const LOCK_POLL_MS = 50

/** Runs `work` while no other process starts or stops the same practice grid. */
export async function withPracticeLock<T>(
  dir: string,
  system: System,
  work: () => Promise<T>,
): Promise<T> {
  await makePrivateDirectory(dir)
  const path = join(dir, 'practice.lock')
  await describingFailures(`The directory ${dir}`, async () => {
    await take(path, system)
  })
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function take(path: string, { clock, signal }: System): Promise<void> {
  const deadlineMs = clock.monotonicMs() + LOCK_TIMEOUT_MS
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
    else if (clock.monotonicMs() > deadlineMs) throw lockedTooLong(path)
    else await sleep(clock, LOCK_POLL_MS, signal)
  }
}

/** Whether whoever took it was killed. One just created and still empty belongs to somebody. */
async function isStale(path: string): Promise<boolean> {
  const bytes = await readIfThere(path)
  const match = /^(\d+) (.+)$/.exec(Buffer.from(bytes ?? []).toString('utf8'))
  if (match === null) return false
  return !(await isAlive({ pid: Number(match[1]), birth: match[2] ?? '' }))
}

function lockedTooLong(path: string): CliError {
  return new CliError({
    exit: EXIT.io,
    code: 'practice-locked',
    message: `Another hayloft is starting or stopping this practice grid. If none is, delete ${path}.`,
  })
}
