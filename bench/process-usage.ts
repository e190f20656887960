import { readFile, writeFile } from 'node:fs/promises'

/** Linux counts processor time for programs in hundredths of a second on every architecture that Node runs on. */
const TICK_S = 0.01

/**
 * User and system time since a process began, all threads included; see proc_pid_stat(5).
 * @returns undefined elsewhere than on Linux
 */
export async function cpuSecondsOf(pid: number): Promise<number | undefined> {
  const stat = await readProc(pid, 'stat')
  // The second field is the command in parentheses and may itself hold spaces.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) * TICK_S
}

/** The most memory a process had resident since {@link resetPeak}; undefined elsewhere than on Linux. */
export async function peakBytesOf(pid: number): Promise<number | undefined> {
  const kilobytes = /^VmHWM:\s*(\d+) kB/m.exec((await readProc(pid, 'status')) ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}

/** Lets the peak start again from what is resident now, where the system can; see proc_pid_clear_refs(5). */
export async function resetPeak(pid: number): Promise<void> {
  try {
    await writeFile(`/proc/${pid}/clear_refs`, '5')
  } catch {
    return
  }
}

async function readProc(pid: number, name: string): Promise<string | undefined> {
  try {
    return await readFile(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return undefined
  }
}
