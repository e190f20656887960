/** What a systemd user unit of the daemon says. */
export interface UnitOptions {
  /** The program that runs JavaScript, and the one that it is to run; absolute paths. */
  readonly node: string
  readonly program: string
  readonly home: string
  readonly port: number
  /** A file that holds the passphrase of the home, if it has one. */
  readonly passphraseFile: string | undefined
}

/** By its first line a unit is known as one of ours, which may be replaced and removed. */
export const UNIT_MARK = '# Written by "hayloft service install", which may replace it.'

/** See systemd.service(5) and systemd.exec(5). */
export function unitText({ node, program, home, port, passphraseFile }: UnitOptions): string {
  const command = [
    node,
    program,
    'start',
    '--quiet',
    ...(port === 0 ? [] : ['--port', String(port)]),
  ]
  const environment = {
    HAYLOFT_HOME: home,
    ...(passphraseFile !== undefined && { HAYLOFT_PASSPHRASE_FILE: passphraseFile }),
  }
  const lines = [
    UNIT_MARK,
    '[Unit]',
    'Description=Hayloft, a storage grid for friends',
    '',
    '[Service]',
    'Type=exec',
    ...Object.entries(environment).map(
      ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
    ),
    `ExecStart=${command.map(quotedArgument).join(' ')}`,
    'Restart=on-failure',
    'RestartSec=5',
    // What another try does not mend: misuse, another daemon, one who was removed, a home that is none.
    'RestartPreventExitStatus=64 75 77 78',
    // It ends by itself within 20 s.
    'TimeoutStopSec=40',
    'KillMode=mixed',
    'UMask=0077',
    'NoNewPrivileges=yes',
    '',
    '[Install]',
    'WantedBy=default.target',
  ]
  return `${lines.join('\n')}\n`
}

/** In double quotes, with C escapes; a per cent sign would begin a specifier. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('%', '%%')
  return `"${escaped}"`
}

/** On a command line a dollar sign would begin a variable. */
function quotedArgument(text: string): string {
  return quoted(text).replaceAll('$', '$$$$')
}
