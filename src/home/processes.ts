import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { systemCodeOf } from '../foundation/error.ts'

/**
 * When a process began, as an opaque text: with the pid it names one process for good, since the system gives a pid
 * out again. Nothing is signalled whose birth is not the one on record.
 * @returns undefined if there is no such process, or the system does not tell
 */
export async function processBirth(pid: number): Promise<string | undefined> {
  try {
    return process.platform === 'linux' ? await birthFromProc(pid) : await birthFromPs(pid)
  } catch {
    return undefined
  }
}

/** Whether the process on record is still that one. A process that exited and was not yet reaped is not. */
export async function isAlive(recorded: { pid: number; birth: string }): Promise<boolean> {
  return recorded.birth !== '' && (await processBirth(recorded.pid)) === recorded.birth
}

/** @returns whether there was such a process to send it to */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Whether there is a process of that number, be it whose it may. */
export function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (thrown) {
    return systemCodeOf(thrown) === 'EPERM'
  }
}

/** Field 22 of /proc/PID/stat counts ticks since the boot that boot_id names; see proc_pid_stat(5). */
async function birthFromProc(pid: number): Promise<string | undefined> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ])
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const state = fields[0]
  if (state === 'Z' || state === 'X') return undefined
  return `${boot.trim()}/${fields[19] ?? ''}`
}

async function birthFromPs(pid: number): Promise<string | undefined> {
  const environment = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' }
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)], {
    env: environment,
  })
  const started = stdout.trim()
  return started === '' ? undefined : started
}
