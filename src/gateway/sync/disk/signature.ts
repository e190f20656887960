import type { BigIntStats } from 'node:fs'
import type { Signature } from './sync-disk.ts'

/** All that changes with a file. A rename or link changes the last part (ctime) alone: see {@link isSameContent}. */
export function signatureOf({ size, mtimeNs, ino, mode, ctimeNs }: BigIntStats): Signature {
  return `${size} ${mtimeNs} ${ino} ${mode} ${ctimeNs}` as Signature
}

/** Whether a file is what it was, perhaps under another name: all but the time at which its inode changed. */
export function isSameContent(stats: BigIntStats, signature: Signature): boolean {
  const known = signature.slice(0, signature.lastIndexOf(' '))
  const now = signatureOf(stats)
  return now.slice(0, now.lastIndexOf(' ')) === known
}

/** Whether one of its times is so close that another write may leave them all as they are (2 s on FAT), or yet to come. */
export function isRacy({ mtimeMs, ctimeMs }: BigIntStats, nowMs: number): boolean {
  return (
    Math.abs(nowMs - Number(mtimeMs)) < COARSEST_TIME_MS ||
    Number(ctimeMs) > nowMs - COARSEST_TIME_MS
  )
}

const COARSEST_TIME_MS = 2_000

/** Whoever owns it may run it. Windows has no such bit. */
export function isExecutable({ mode }: BigIntStats): boolean {
  return process.platform !== 'win32' && (mode & 0o100n) !== 0n
}
