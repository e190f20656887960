import { tryLock, type FileLock } from '../../home/file-lock.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/** One process at a time looks after a home. @throws CliError while another one does */
export async function takeCareLock({ careLock, home }: HomeFiles): Promise<FileLock> {
  const lock = await tryLock(careLock)
  if (lock !== undefined) return lock
  throw new CliError({
    exit: EXIT.tryAgain,
    code: 'care-running',
    message:
      `Another hayloft looks after ${home} already: the daemon, "hayloft maintain", or its storage node. One is enough; ` +
      'what you add or remove is taken up by it.',
  })
}
