import { execFileSync, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { homeFiles } from '../../src/home/layout.ts'
import { readRunning } from '../../src/home/running-file.ts'
import { GRIDS_VARIABLE } from '../support/global-setup.ts'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { until } from './grid.ts'

let dir: string
const children: ChildProcess[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(process.env[GRIDS_VARIABLE] ?? tmpdir(), 'odd-'))
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

function errorIn({ stderr }: Run): { readonly code?: string; readonly message?: string } {
  const line = stderr.split('\n').find((each) => each.includes('"error"')) ?? '{}'
  return (JSON.parse(line) as { error?: { code: string; message: string } }).error ?? {}
}

async function startNode(home: string, aheadMs = 0): Promise<ChildProcess> {
  const { child } = startHayloft(['node', 'start'], { home, aheadMs })
  children.push(child)
  await until(async () => (await readRunning(homeFiles(home).running)) !== undefined)
  return child
}

/** A disk of its own for one test. @returns why there can be none here; undefined if there is one */
function mountDisk(at: string, sizeMiB: number): string | undefined {
  if (process.platform !== 'linux') return 'this system has no tmpfs'
  if (process.getuid?.() !== 0) return 'only root may mount a disk'
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', at], {
      stdio: 'ignore',
    })
    return undefined
  } catch {
    return 'this system does not let root mount a disk'
  }
}

describe('a node on a disk that is small, full or read-only', () => {
  it('says so in a sentence, begins nothing, and runs again when there is room', async () => {
    const disk = join(dir, 'disk')
    await mkdir(disk)
    const obstacle = mountDisk(disk, 24)
    if (obstacle !== undefined) {
      process.stdout.write(`Nodes on full and read-only disks are not tried here: ${obstacle}.\n`)
      expect(obstacle).not.toBe('')
      return
    }
    try {
      const home = join(disk, 'home')
      const create = ['grid', 'create', 'Barn', '--as', 'ada', '--json']
      const none = await hayloft([...create, '--offer', '500GB'], { home })
      expect([none.status, errorIn(none).code]).toEqual([64, 'offer-exceeds-disk'])
      const reserve = ['node', 'config', '--offer', '10MB', '--reserve', '1MB']
      expect((await hayloft(reserve, { home })).status).toBe(0)
      // A node that was set up before there was a grid is a storage node of it.
      const made = JSON.parse((await hayloft(create, { home })).stdout) as { node: string | null }
      expect(made.node).not.toBeNull()
      const small = await hayloft(['node', 'config', '--offer', '500GB', '--json'], { home })
      expect([small.status, errorIn(small).code]).toEqual([64, 'offer-exceeds-disk'])

      const start = ['node', 'start']
      await writeFile(join(disk, 'fill'), new Uint8Array(30 * 2 ** 20)).catch(() => undefined)
      const full = await hayloft(start, { home })
      expect(full.status).toBe(74)
      expect(full.stderr).toMatch(/^hayloft: .*the disk is full\.$/m)
      await rm(join(disk, 'fill'))
      execFileSync('mount', ['-o', 'remount,ro', disk])
      const readOnly = await hayloft(start, { home })
      expect(readOnly.status).toBe(73)
      expect(readOnly.stderr).toMatch(/^hayloft: .*is on a read-only disk\.$/m)
      execFileSync('mount', ['-o', 'remount,rw', disk])
      for (const { stderr } of [full, readOnly]) expect(stderr.trim().split('\n')).toHaveLength(1)
      const child = await startNode(home)
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGTERM')
      await ended
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })
})

describe('computers whose clocks are a day apart', () => {
  const DAY_MS = 24 * 3600 * 1000

  it('make one grid, with invites that last, files and removals', async () => {
    const ada = join(dir, 'ada')
    const [ahead, behind] = [DAY_MS - 60_000, -DAY_MS + 60_000]
    const ofBen = { home: join(dir, 'ben'), aheadMs: behind }
    const ofCleo = { home: join(dir, 'cleo'), aheadMs: ahead }
    await hayloft(['grid', 'create', 'Barn', '--as', 'ada', '--offer', '1GB'], { home: ada })
    await startNode(ada)
    const invite = async (): Promise<string> => {
      const args = ['grid', 'invite', '--expires', '1h', '--json']
      return (JSON.parse((await hayloft(args, { home: ada })).stdout) as { invite: string }).invite
    }
    const enter = async (
      name: string,
      options: { home: string; aheadMs: number },
    ): Promise<number | null> => {
      const args = ['grid', 'join', '-', '--as', name, '--offer', '1GB']
      return (await hayloft(args, { ...options, stdin: await invite() })).status
    }
    expect(await enter('ben', ofBen)).toBe(0)
    await startNode(ofBen.home, behind)
    // An hour is over for her, and clocks may differ by a day.
    expect(await enter('cleo', ofCleo)).toBe(0)
    await startNode(ofCleo.home, ahead)
    const file = join(dir, 'file')
    await writeFile(file, 'Dear friends, '.repeat(1000))
    for (const [writer, reader] of [
      [ofBen, ofCleo],
      [ofCleo, ofBen],
    ] as const) {
      const put = await hayloft(['put', file, '--json'], writer)
      expect(put.status).toBe(0)
      const [stored] = JSON.parse(put.stdout) as { capability: string }[]
      const got = await hayloft(['cat', '-'], { ...reader, stdin: stored?.capability ?? '' })
      expect(got.stdout).toBe('Dear friends, '.repeat(1000))
    }
    expect((await hayloft(['grid', 'remove', 'ben'], { home: ada })).status).toBe(0)
    await until(async () => (await hayloft(['put', file, '--json'], ofBen)).status === 77)
    expect((await hayloft(['grid', 'readmit', 'ben'], { home: ada })).status).toBe(0)
    await until(async () => (await hayloft(['grid', 'members'], ofBen)).status === 0)
  })
})
