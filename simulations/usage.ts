import { systemCodeOf } from '../src/foundation/error.ts'

/**
 * Reads a command line. `--help` prints what there is and ends the process; so does what there is not, with status 64.
 * @param parse - by `parseArgs`, without `--help`
 */
export function withUsage<T>(usage: string, parse: () => T): T {
  if (process.argv.slice(2).includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return parse()
  } catch (thrown) {
    if (systemCodeOf(thrown)?.startsWith('ERR_PARSE_ARGS') !== true) throw thrown
    console.error(`${(thrown as Error).message}\n\n${usage}`)
    process.exit(64)
  }
}
