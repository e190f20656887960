import { join } from 'node:path'
import { withFileLock } from '../../home/file-lock.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { System } from './practice.ts'

/** As long as another start or stop of the same grid may take. */
const LOCK_TIMEOUT_MS = 90_000

/** Runs `work` while no other process starts or stops the same practice grid. */
export async function withPracticeLock<T>(
  dir: string,
  { clock, signal }: System,
  work: () => Promise<T>,
): Promise<T> {
  await makePrivateDirectory(dir)
  const path = join(dir, 'practice.lock')
  const lockedTooLong = (): CliError =>
    new CliError({
      exit: EXIT.io,
      code: 'practice-locked',
      message: `Another hayloft is starting or stopping this practice grid. If none is, delete ${path}.`,
    })
  return await withFileLock(
    path,
    { clock, signal, timeoutMs: LOCK_TIMEOUT_MS, lockedTooLong },
    work,
  )
}
