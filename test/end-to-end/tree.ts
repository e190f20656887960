import { execFileSync } from 'node:child_process'
import { chmod, mkdir, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { noise } from './noise.ts'

/** What people keep: names of all sorts, sizes around every bound, links, programs, and things that are no files. */
export async function makeTree(root: string): Promise<void> {
  await mkdir(join(root, 'sub', 'deep'), { recursive: true })
  await mkdir(join(root, 'empty'))
  for (const size of [0, 1, 1024, 1025, 70_000, 1_100_000]) {
    await writeFile(join(root, `${size} bytes`), noise(`tree ${size}`, size))
  }
  for (let at = 0; at < 40; at++) await writeFile(join(root, 'sub', `${at}`), `file ${at}\n`)
  await writeFile(join(root, 'sub', 'deep', '-rf'), 'a name like an option')
  await writeFile(
    join(root, 'sub', 'deep', 'line\nfeed \u001b[31m'),
    'a name with control characters',
  )
  await writeFile(join(root, 'sub', 'deep', 'Cafe\u0301'), 'decomposed')
  await writeFile(join(root, 'run'), '#!/bin/sh\n')
  await chmod(join(root, 'run'), 0o755)
  await utimes(join(root, 'run'), 1_000_000_000, 1_000_000_000.123)
  await symlink('../run', join(root, 'sub', 'link'))
  await symlink('/dev/null', join(root, 'sub', 'out'))
  execFileSync('mkfifo', [join(root, 'pipe')])
}

/** As `ls` tells it. */
export interface EntryJson {
  readonly name: string
  readonly kind: string
  readonly size?: number
  readonly modified?: string
  readonly executable?: boolean
  readonly version: string
}

/** As `put -r` tells it. */
export interface PutJson {
  readonly stored: number
  readonly unchanged: number
  readonly sentBytes: number
  readonly skipped: readonly { readonly file: string; readonly why: string }[]
  readonly failed: readonly { readonly file: string }[]
}
