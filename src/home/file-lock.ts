import { link, rename, rm, writeFile } from 'node:fs/promises'
import { sleep, type Clock } from '../foundation/clock.ts'
import { systemCodeOf } from '../foundation/error.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { readIfThere, temporaryBeside } from './files.ts'
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
  await using _lock = await take(path, options)
  return await work()
}

const POLL_MS = 50

async function take(path: string, options: LockOptions): Promise<FileLock> {
  const { clock, signal, timeoutMs } = options
  const deadlineMs = clock.monotonicMs() + timeoutMs
  for (;;) {
    const lock = await tryLock(path)
    if (lock !== undefined) return lock
    if (clock.monotonicMs() > deadlineMs) throw options.lockedTooLong()
    await sleep(clock, POLL_MS, signal)
  }
}

/** Something that one process at a time has. Disposing of it gives it back. */
export interface FileLock extends AsyncDisposable {
  readonly path: string
}

/**
 * Takes a lock that is a file naming its holder. One whose holder was killed is taken over.
 * @returns undefined while another process holds it
 */
export async function tryLock(path: string): Promise<FileLock | undefined> {
  return await describingFailures(`The file ${path}`, async () => {
    if (await create(path)) return held(path)
    const holder = await holderOf(path)
    if (holder === undefined || (await isAlive(holder))) return undefined
    // Of several that want the lock of a dead process one gets it away, and the others look again another time.
    const aside = temporaryBeside(path)
    try {
      await rename(path, aside)
    } catch (thrown) {
      if (systemCodeOf(thrown) === 'ENOENT') return undefined
      throw thrown
    }
    const taken = await holderOf(aside)
    await rm(aside, { force: true })
    // Somebody else had been faster, and lost it to us just now; both go without.
    if (taken?.pid !== holder.pid || taken.birth !== holder.birth) return undefined
    return (await create(path)) ? held(path) : undefined
  })
}

/** Who holds a lock; undefined if nobody does, or its holder has only just begun to. */
export async function holderOf(path: string): Promise<{ pid: number; birth: string } | undefined> {
  const bytes = await readIfThere(path)
  const match = /^(\d+) (.+)$/.exec(Buffer.from(bytes ?? []).toString('utf8'))
  return match === null ? undefined : { pid: Number(match[1]), birth: match[2] ?? '' }
}

/** Whether a living process holds a lock. */
export async function isLocked(path: string): Promise<boolean> {
  const holder = await holderOf(path)
  return holder !== undefined && (await isAlive(holder))
}

async function create(path: string): Promise<boolean> {
  const holder = `${process.pid} ${(await processBirth(process.pid)) ?? ''}`
  const whole = temporaryBeside(path)
  try {
    await writeFile(whole, holder, { flag: 'wx', mode: 0o600 })
    // It appears with its holder's name in it, so that who is killed meanwhile leaves no lock of nobody.
    await link(whole, path)
    return true
  } catch (thrown) {
    const code = systemCodeOf(thrown)
    if (code === 'EEXIST') return false
    // A file system without links.
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS') {
      return await createInPlace(path, holder)
    }
    throw thrown
  } finally {
    await rm(whole, { force: true })
  }
}

async function createInPlace(path: string, holder: string): Promise<boolean> {
  try {
    await writeFile(path, holder, { flag: 'wx', mode: 0o600 })
    return true
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'EEXIST') return false
    throw thrown
  }
}

function held(path: string): FileLock {
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { force: true })
    },
  }
}
