import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { until } from '../end-to-end/grid.ts'
import { noise } from '../end-to-end/noise.ts'
import { SyncedPair, type Side } from './synced-pair.ts'

/** Mounting needs root; elsewhere tests that do say that they did nothing. */
const isRoot = process.getuid?.() === 0
const KILLS = Number(process.env['HAYLOFT_KILLS'] ?? '100')

describe('a synced directory', () => {
  it(`loses nothing while daemons are killed ${KILLS} times`, async () => {
    await using pair = await SyncedPair.start()
    const written = new Map<string, string>()
    for (let kill = 0; kill < KILLS; kill++) {
      const side: Side = kill % 2 === 0 ? 'desk' : 'lap'
      const path = `file ${kill % 17}`
      // A file has one writer, so that each of its versions replaces the last.
      const owner: Side = (kill % 17) % 2 === 0 ? 'desk' : 'lap'
      const text = noise(`kill ${kill}`, 20_000 + ((kill * 7919) % 300_000)).toString('latin1')
      await writeFile(pair.at(owner, path), text, 'latin1')
      written.set(path, text)
      // At any point of what that sets off.
      await new Promise((resolve) => setTimeout(resolve, (kill * 137) % 2_500))
      await pair.killDaemon(side)
      await pair.startDaemon(side)
    }
    await pair.settle((files) => [...written].every(([path, text]) => files[path] === text))
    expect(Object.keys(await pair.listing('desk')).sort()).toEqual([...written.keys()].sort())
  })

  it('tells that the disk is full, brings what fits, and the rest once there is room', async () => {
    if (!isRoot) {
      console.warn('A small disk can be mounted by root only: not tried.')
      return
    }
    const small = await mkdtemp(join(tmpdir(), 'hayloft-small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small])
    try {
      await using pair = await SyncedPair.start({ lap: small })
      await writeFile(pair.at('lap', 'in the way'), noise('way', 2_000_000))
      await pair.settle((files) => 'in the way' in files)
      await writeFile(pair.at('desk', 'small'), 'small')
      await writeFile(pair.at('desk', 'large'), noise('large', 3_000_000))
      await until(async () => 'small' in (await pair.listing('lap')))
      await until(async () =>
        (await pair.status('lap')).problems.some((text) => text.includes('the disk is full')),
      )
      await rm(pair.at('lap', 'in the way'))
      await pair.settle((files) => files['large']?.length === 3_000_000)
    } finally {
      execFileSync('umount', ['-l', small])
      await rm(small, { recursive: true, force: true })
    }
  })

  it('waits for a directory that went away, and takes it for no removal', async () => {
    await using pair = await SyncedPair.start()
    await mkdir(pair.at('desk', 'd'))
    await writeFile(pair.at('desk', 'd', 'a'), 'a')
    await pair.settle((files) => files['d/a'] === 'a')
    await rename(pair.at('lap'), `${pair.at('lap')} away`)
    await mkdir(pair.at('lap'))
    await writeFile(pair.at('desk', 'b'), 'b')
    await pair.run('desk', ['sync', 'status', '--wait'])
    await until(async () => (await pair.status('lap')).state === 'failed')
    expect((await pair.status('lap')).message).toContain('is not there')
    await rm(pair.at('lap'), { recursive: true })
    await rename(`${pair.at('lap')} away`, pair.at('lap'))
    await pair.settle((files) => files['d/a'] === 'a' && files['b'] === 'b')
  })

  it('keeps names that are hard to keep, follows no link and waits for no pipe', async () => {
    await using pair = await SyncedPair.start()
    const names = [
      'a',
      'A',
      'CON',
      'dot.',
      'a:b',
      'blank ',
      'é',
      '%41',
      '-rf',
      "it's",
      'new\nline',
      '日本',
    ]
    for (const name of names) await writeFile(pair.at('desk', name), name)
    await symlink('.', pair.at('desk', 'loop'))
    await symlink('/etc', pair.at('desk', 'out'))
    execFileSync('mkfifo', [pair.at('desk', 'pipe')])
    await pair.settle((files) =>
      names.every((name) => files[name] === Buffer.from(name).toString('latin1')),
    )
    expect(await pair.listing('lap')).toMatchObject({ loop: '→ .', out: '→ /etc' })
    expect((await pair.status('desk')).problems).toEqual(['pipe is left out: it is a pipe (FIFO).'])
  })
})
