import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAlive } from '../../src/home/processes.ts'

/** Names the folder that all practice grids of the tests lie in. */
export const GRIDS_VARIABLE = 'HAYLOFT_TEST_GRIDS'

/** Before all tests: the command line under test is the one whose sources are here. */
export function setup(): () => Promise<void> {
  const build = fileURLToPath(new URL('../../scripts/build.js', import.meta.url))
  execFileSync(process.execPath, [build], { stdio: 'inherit' })
  const grids = mkdtempSync(join(tmpdir(), 'hayloft-test-grids-'))
  process.env[GRIDS_VARIABLE] = grids
  return async () => {
    await killNodes(grids)
    rmSync(grids, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
}

/** Tests stop their own nodes; this is for those whose worker died. */
async function killNodes(grids: string): Promise<void> {
  for (const grid of readdirSync(grids)) {
    for (const home of readdirSync(join(grids, grid))) {
      const path = join(grids, grid, home, 'running.json')
      if (!existsSync(path)) continue
      const node = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; birth: string }
      if (await isAlive(node)) process.kill(node.pid, 'SIGKILL')
    }
  }
}
