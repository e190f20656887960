import { execFileSync } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { walkLocal } from '../../../src/cli/local/walk.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const { signal } = new AbortController()

describe('a walk of a local directory', () => {
  it('finds directories before what is in them, names sorted, and follows no link', async () => {
    const root = await temporaryFolder()
    await mkdir(join(root, 'b', 'deep'), { recursive: true })
    await mkdir(join(root, 'a'))
    for (const name of ['z', 'b/2', 'b/1', 'b/deep/x']) await writeFile(join(root, name), name)
    await symlink('..', join(root, 'a', 'up'))
    const { directories, skipped } = await walkLocal(root, signal)
    expect(skipped).toEqual([])
    expect(
      directories.map(({ path, files }) => [path.join('/'), files.map(({ name }) => name)]),
    ).toEqual([
      ['', ['z']],
      ['a', ['up']],
      ['b', ['1', '2']],
      ['b/deep', ['x']],
    ])
    expect(directories[1]?.files[0]).toMatchObject({ kind: 'symlink', target: '..' })
  })

  it('leaves out what no folder holds, and tells of it', async () => {
    const root = await temporaryFolder()
    execFileSync('mkfifo', [join(root, 'pipe')])
    await writeFile(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.of(0xff)]), '')
    await writeFile(join(root, 'Caf\u00e9'), 'composed')
    await writeFile(join(root, 'Cafe\u0301'), 'decomposed')
    await symlink('t'.repeat(1025), join(root, 'far'))
    const { directories, skipped } = await walkLocal(root, signal)
    expect(directories.flatMap(({ files }) => files.map(({ name }) => name))).toEqual(['Caf\u00e9'])
    expect(skipped.filter(({ isFailure }) => isFailure)).toHaveLength(3)
    expect(skipped).toHaveLength(4)
    const told = skipped.map(({ why }) => why).join('\n')
    expect(told).toContain('pipe')
    expect(told).toContain('not UTF-8')
    expect(told).toContain('differs from it in form only')
    expect(told).toContain('1024 bytes')
  })

  it('ends when it is told to', async () => {
    const root = await temporaryFolder()
    await expect(walkLocal(root, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})
