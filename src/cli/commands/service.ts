import { access, constants, readFile, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { systemCodeOf } from '../../foundation/error.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { makePrivateDirectory, writePrivateFile } from '../../home/files.ts'
import { placeOfSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { noAccount } from '../../home/opened-home.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { PROGRAM } from '../package-files.ts'
import { PASSPHRASE_FILE_VARIABLE } from '../passphrase-file.ts'
import { UNIT_MARK, unitText } from '../service/unit.ts'

export interface ServiceRequest {
  /** What the unit is called, without `.service`. */
  readonly name: string
  readonly port: number
}

/** Writes a systemd user unit that runs the daemon of a home, and says how to begin. */
export async function serviceInstall(
  { name, port }: ServiceRequest,
  { files, terminal }: CommandContext,
): Promise<ExitCode> {
  requireSystemd()
  const path = unitPath(name)
  const passphraseFile = await passphraseFileFor(files)
  const text = unitText({
    node: process.execPath,
    program: PROGRAM,
    home: files.home,
    port,
    passphraseFile,
  })
  await refuseOther(path, files)
  await describingFailures(`The unit ${path}`, async () => {
    await makePrivateDirectory(unitDirectory())
    await writePrivateFile(path, text)
  })
  const hasSystemctl = await isOnPath('systemctl')
  const run = ['systemctl --user daemon-reload', `systemctl --user enable --now ${name}`]
  if (terminal.json) {
    terminal.value({ unit: path, home: files.home, systemctl: hasSystemctl, run })
    return EXIT.ok
  }
  terminal.line(`Wrote ${path}.`)
  if (!hasSystemctl) {
    terminal.line('There is no systemctl here, so nothing can start it yet. Where systemd runs:')
  }
  terminal.line('\nTo start it now and whenever you log in:')
  for (const command of run) terminal.line(`  ${command}`)
  terminal.line('To have it run without you logged in:\n  loginctl enable-linger')
  return EXIT.ok
}

/** Takes the unit away again. */
export async function serviceRemove(
  { name }: Pick<ServiceRequest, 'name'>,
  { terminal }: CommandContext,
): Promise<ExitCode> {
  requireSystemd()
  const path = unitPath(name)
  const there = await readUnit(path)
  if (there !== undefined && !there.startsWith(UNIT_MARK)) throw isOthers(path)
  if (there !== undefined) {
    await describingFailures(`The unit ${path}`, async () => {
      // What "systemctl enable" has made.
      await rm(join(unitDirectory(), 'default.target.wants', `${name}.service`), { force: true })
      await rm(path)
    })
  }
  if (terminal.json) terminal.value({ unit: path, removed: there !== undefined })
  else if (there === undefined) terminal.line(`There is no ${path}.`)
  else {
    terminal.line(`Removed ${path}. To let systemd know, and to end the daemon if it runs:`)
    terminal.line('  systemctl --user daemon-reload\n  hayloft stop')
  }
  return EXIT.ok
}

function requireSystemd(): void {
  if (process.platform === 'linux') return
  throw new CliError({
    exit: EXIT.usage,
    code: 'no-systemd',
    message:
      'This command is for systemd, which this system does not have. docs/daemon.md shows what to do with launchd and as a Windows service.',
  })
}

function unitDirectory(): string {
  const named = process.env['XDG_CONFIG_HOME']
  const config = named === undefined || named === '' ? join(homedir(), '.config') : resolve(named)
  return join(config, 'systemd', 'user')
}

function unitPath(name: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw usageError('The name of a service has letters, digits, - and _, and at most 64 of them.')
  }
  return join(unitDirectory(), `${name}.service`)
}

/** Nobody is there to type a passphrase when a service starts. */
async function passphraseFileFor(files: HomeFiles): Promise<string | undefined> {
  const place = await placeOfSecrets(files)
  if (place === 'nowhere') throw noAccount(files)
  if (place !== 'key-store-under-passphrase') return undefined
  const named = process.env[PASSPHRASE_FILE_VARIABLE] ?? ''
  if (named !== '' && named !== '-') return resolve(named)
  throw usageError(
    'The secrets of this home are under a passphrase, and nobody types it when a service starts. Name a file that holds it, ' +
      'which only you can read: hayloft --passphrase-file FILE service install',
  )
}

/** A unit of ours for this home is written anew; any other stays. */
async function refuseOther(path: string, { home }: HomeFiles): Promise<void> {
  const there = await readUnit(path)
  if (there === undefined) return
  if (!there.startsWith(UNIT_MARK)) throw isOthers(path)
  const own = unitText({ node: '', program: '', home, port: 0, passphraseFile: undefined })
  const homeLine = own.split('\n').find((line) => line.startsWith('Environment="HAYLOFT_HOME='))
  if (there.split('\n').includes(homeLine ?? '')) return
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'service-exists',
    message: `${path} runs another home. Choose another --name for this one.`,
  })
}

function isOthers(path: string): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'service-exists',
    message: `${path} was not written by this command, so it stays as it is. Choose another --name.`,
  })
}

async function readUnit(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

async function isOnPath(program: string): Promise<boolean> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const isThere = await access(join(directory, program), constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere && directory !== '') return true
  }
  return false
}
