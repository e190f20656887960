import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { REPOSITORY } from './command.ts'

/**
 * Compiles the program unless what was compiled last is newer than every source: the commands must be those of the
 * sources that stand here.
 * @throws Error if it does not compile
 */
export async function buildIfNeeded(): Promise<void> {
  const built = await stat(join(REPOSITORY, 'dist/cli/main.js')).catch(() => undefined)
  if (built !== undefined && built.mtimeMs > (await newestMs(join(REPOSITORY, 'src')))) return
  const child = spawn('npm', ['run', '--silent', 'build'], {
    cwd: REPOSITORY,
    // Standard output is for the results.
    stdio: ['ignore', process.stderr, 'inherit'],
    shell: process.platform === 'win32',
  })
  const [status] = (await once(child, 'close')) as [number | null]
  if (status !== 0) throw new Error('The program does not compile, so there is nothing to measure.')
}

async function newestMs(dir: string): Promise<number> {
  let newest = 0
  for (const name of await readdir(dir, { recursive: true })) {
    newest = Math.max(newest, (await stat(join(dir, name))).mtimeMs)
  }
  return newest
}
