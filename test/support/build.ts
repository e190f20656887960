import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Before all tests: the command line under test is the one whose sources are here. */
export function setup(): void {
  const build = fileURLToPath(new URL('../../scripts/build.js', import.meta.url))
  execFileSync(process.execPath, [build], { stdio: 'inherit' })
}
