import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/**
 * Refuses names that this system would take for something else: on Windows those with its special characters, those that
 * end in a dot or blank, and its devices. Names of folders are never `.` or `..` and hold no slash.
 * @throws CliError
 */
export function refuseLocalName(name: string, platform: NodeJS.Platform = process.platform): void {
  if (platform !== 'win32' || !WINDOWS_CANNOT.test(name)) return
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'name-unusable',
    message: `Windows cannot hold a file that is called ${JSON.stringify(name)}. Rename it in the folder first.`,
  })
}

// oxlint-disable-next-line no-control-regex -- control characters are among what Windows refuses
const WINDOWS_CANNOT = /[<>:"/\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
