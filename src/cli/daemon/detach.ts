import { spawn, type ChildProcess } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sleep } from '../../foundation/clock.ts'
import { systemClock } from '../../foundation/system.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { readDaemon, type DaemonFile } from '../../home/daemon-file.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { placeOfSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { StartRequest } from '../commands/start.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { PROGRAM } from '../package-files.ts'
import { askPassphrase } from '../passphrase.ts'
import { PASSPHRASE_FILE_VARIABLE } from '../passphrase-file.ts'

/** A grid that is out of reach does not hold up a start; a disk that is slow may. */
const START_TIMEOUT_MS = 60_000
const POLL_INTERVAL_MS = 25

/** Starts the daemon as a process of its own, and returns when it is ready. @throws CliError with why it could not start */
export async function detachDaemon(
  request: StartRequest,
  { files, terminal, signal }: CommandContext,
): Promise<ExitCode> {
  await makePrivateDirectory(files.logs)
  const errorsPath = join(files.logs, 'start-errors')
  const child = await spawnDaemon(request, files, errorsPath)
  const daemon = await waitUntilReady(child, { files, errorsPath, signal })
  const { pid, port } = daemon
  if (terminal.json) terminal.value({ pid, port, home: files.home })
  else terminal.line(`The daemon runs, as process ${pid}. "hayloft status" tells how it fares.`)
  return EXIT.ok
}

async function spawnDaemon(
  { withNode, port }: StartRequest,
  files: HomeFiles,
  errorsPath: string,
): Promise<ChildProcess> {
  const passphrase = await passphraseFor(files)
  const errors = await describingFailures(
    `The file ${errorsPath}`,
    async () => await open(errorsPath, 'w', 0o600),
  )
  try {
    const args = ['start', '--quiet', '--json', '--port', String(port)]
    if (!withNode) args.push('--no-node')
    if (passphrase !== undefined) args.push('--passphrase-file', '-')
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      detached: true,
      cwd: files.home,
      env: { ...process.env, HAYLOFT_HOME: files.home },
      stdio: [passphrase === undefined ? 'ignore' : 'pipe', 'ignore', errors.fd],
      windowsHide: true,
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(passphrase)
    child.unref()
    return child
  } finally {
    await errors.close()
  }
}

/** A process without a terminal cannot ask for it. @returns undefined if it need not */
async function passphraseFor(files: HomeFiles): Promise<Uint8Array | undefined> {
  const isSealed = (await placeOfSecrets(files)) === 'key-store-under-passphrase'
  const named = process.env[PASSPHRASE_FILE_VARIABLE] ?? ''
  return isSealed && (named === '' || named === '-') ? await askPassphrase() : undefined
}

async function waitUntilReady(
  child: ChildProcess,
  { files, errorsPath, signal }: { files: HomeFiles; errorsPath: string; signal: AbortSignal },
): Promise<DaemonFile> {
  const deadlineMs = systemClock.monotonicMs() + START_TIMEOUT_MS
  const ended = new AbortController()
  for (const event of ['error', 'exit']) child.once(event, () => ended.abort())
  try {
    while (!ended.signal.aborted) {
      const daemon = await readDaemon(files)
      if (daemon !== undefined && daemon.pid === child.pid) return daemon
      if (systemClock.monotonicMs() > deadlineMs) throw tooSlow(files)
      await sleep(systemClock, POLL_INTERVAL_MS, signal)
    }
  } catch (thrown) {
    child.kill('SIGTERM')
    throw thrown
  }
  throw await whyItEnded(child, errorsPath)
}

async function whyItEnded(child: ChildProcess, errorsPath: string): Promise<CliError> {
  const said = await readFile(errorsPath, 'utf8').catch(() => '')
  for (const line of said.split('\n').toReversed()) {
    const failure = failureIn(line)
    if (failure === undefined) continue
    const exit = (Object.values(EXIT) as number[]).find((code) => code === child.exitCode)
    return new CliError({ exit: (exit as ExitCode | undefined) ?? EXIT.io, ...failure })
  }
  return new CliError({
    exit: EXIT.io,
    code: 'daemon-not-started',
    message: `The daemon ended while it started. ${errorsPath} may say why.`,
  })
}

function failureIn(line: string): { code: string; message: string } | undefined {
  try {
    const { error } = JSON.parse(line) as { error?: { code?: unknown; message?: unknown } }
    const { code, message } = error ?? {}
    return typeof code === 'string' && typeof message === 'string' ? { code, message } : undefined
  } catch {
    return undefined
  }
}

function tooSlow({ logs }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.io,
    code: 'daemon-not-started',
    message: `The daemon was not ready after ${START_TIMEOUT_MS / 1000} s and was ended. Its log is in ${logs}.`,
  })
}
