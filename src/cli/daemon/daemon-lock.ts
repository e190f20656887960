import { sleep } from '../../foundation/clock.ts'
import { systemClock } from '../../foundation/system.ts'
import { isLocked, tryLock, type FileLock } from '../../home/file-lock.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readDaemon } from '../../home/daemon-file.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/** Several that start at once and find the lock of one that was killed may have to look again. */
const ATTEMPTS = 20
const PAUSE_MS = 50

/** One daemon at a time for a home; the lock of one that was killed is taken over. @throws CliError while another runs */
export async function takeDaemonLock(files: HomeFiles): Promise<FileLock> {
  await makePrivateDirectory(files.home)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const lock = await tryLock(files.daemonLock)
    if (lock !== undefined) return lock
    if (await isLocked(files.daemonLock)) break
    await sleep(systemClock, PAUSE_MS)
  }
  const running = await readDaemon(files)
  const as = running === undefined ? 'and is still starting' : `as process ${running.pid}`
  throw new CliError({
    exit: EXIT.tryAgain,
    code: 'already-running',
    message: `The daemon of ${files.home} runs already, ${as}. "hayloft stop" ends it.`,
  })
}
