import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * What lies beside the compiled program. The build makes other files of the modules, all of them in folders of `dist/`, so
 * only a module in a folder of `src/` finds it from both.
 */
const PACKAGE = new URL('../../', import.meta.url)

/** What runs the command line. */
export const PROGRAM = fileURLToPath(new URL('bin/hayloft.js', PACKAGE))

/** As package.json has it. */
export const VERSION: string = readVersion()

function readVersion(): string {
  const text = readFileSync(new URL('package.json', PACKAGE), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
