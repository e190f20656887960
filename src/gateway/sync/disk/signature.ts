import type { FileStats } from './file-system.ts'
import type { Signature } from './sync-disk.ts'

/** All that changes with a file. A rename or link changes the last part (ctime) alone: see {@link isSameContent}. */
export function signatureOf({ size, mtimeNs, ino, mode, ctimeNs }: FileStats): Signature {
  return `${size} ${mtimeNs} ${ino} ${mode} ${ctimeNs}` as Signature
}

/** Whether a file is what it was, perhaps under another name: all but the time at which its inode changed. */
export function isSameContent(stats: FileStats, signature: Signature): boolean {
  const known = signature.slice(0, signature.lastIndexOf(' '))
  const now = signatureOf(stats)
  return now.slice(0, now.lastIndexOf(' ')) === known
}

/** Whether one of its times is so close that another write may leave them all as they are, or yet to come. */
export function isRacy(stats: FileStats, nowMs: number): boolean {
  return isNewlyWritten(stats, nowMs) || Number(stats.ctimeMs) > nowMs - stepMs(stats)
}

/** The same of a file that has just been put there with an older time, so that only its content's time can tell. */
export function isNewlyWritten(stats: FileStats, nowMs: number): boolean {
  return Math.abs(nowMs - Number(stats.mtimeMs)) < stepMs(stats)
}

/** How far times of a disk may be from each other and yet be the same. */
function stepMs({ ctimeNs }: FileStats): number {
  // Where there are digits below a millisecond, times are those of the kernel's ticks.
  return ctimeNs % 1_000_000n === 0n ? COARSEST_STEP_MS : TICK_STEP_MS
}

/** On FAT. */
const COARSEST_STEP_MS = 2_000
/** Ten ticks of the slowest kernels. */
const TICK_STEP_MS = 100

/** Whoever owns it may run it. Windows has no such bit. */
export function isExecutable({ mode }: FileStats): boolean {
  return process.platform !== 'win32' && (mode & 0o100n) !== 0n
}
