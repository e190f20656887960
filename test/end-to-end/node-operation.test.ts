import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hayloft, type Run } from '../support/hayloft.ts'
import { TestGrid, until } from './grid.ts'

interface StatusJson {
  readonly running: boolean
  readonly status: {
    readonly offeredBytes: number
    readonly usedBytes: number
    readonly shares: number
    readonly freeBytes: number
    readonly reserveBytes: number
    readonly accounts: readonly { readonly name: string; readonly usedBytes: number }[]
    readonly upkeep: Readonly<Record<string, number | null>>
  } | null
}

let grid: TestGrid
beforeAll(async () => {
  grid = await TestGrid.start(4)
  const file = join(grid.dir, 'file')
  await writeFile(file, Buffer.alloc(2_500_000, 7))
  await grid.put(file)
})
afterAll(async () => await grid.end())

const homeOf = (name: string): string => join(grid.dir, name)
const node = async (name: string, ...args: string[]): Promise<Run> =>
  await hayloft(['node', ...args], { home: homeOf(name) })
const statusOf = async (name: string): Promise<StatusJson> =>
  JSON.parse((await node(name, 'status', '--json')).stdout) as StatusJson

describe('hayloft node', () => {
  it('status tells what a running node keeps, for whom, and how it was looked after', async () => {
    const { status } = await statusOf('node-01')
    expect(status).toMatchObject({
      offeredBytes: 64 * 1024 ** 3,
      accounts: [{ name: 'me', usedBytes: status?.usedBytes }],
      upkeep: { collectedMs: null, roundMs: null, lost: 0 },
    })
    const told = (await node('node-01', 'status')).stdout
    expect(told).toContain('Who stores here:')
    expect(told).toMatch(/leases +all last/)
    expect(await node('node-01', 'scrub')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('all are whole') as string,
    })
    expect(await node('node-01', 'collect')).toMatchObject({ status: 0 })
    const { upkeep } = (await statusOf('node-01')).status ?? {}
    expect(upkeep).toMatchObject({ collectedMs: expect.any(Number) as number })
    expect(upkeep).toMatchObject({ roundMs: expect.any(Number) as number })
  })

  it('config changes a running node at once, and the file for the next start', async () => {
    const run = await node('node-02', 'config', '--offer', '3GB', '--reserve', '1GB')
    expect(run).toMatchObject({ status: 0 })
    expect(run.stderr).toContain('goes by it now')
    expect((await statusOf('node-02')).status).toMatchObject({
      offeredBytes: 3e9,
      reserveBytes: 1e9,
    })
    // Limits are those of the whole home.
    const limited = await node('node-02', 'config', '--upload-limit', '2MB/s', '--json')
    expect(JSON.parse(limited.stdout)).toMatchObject({ uploadBytesPerS: 2e6, applied: 'running' })
    const shown = await hayloft(['bandwidth', '--json'], { home: homeOf('node-02') })
    expect(JSON.parse(shown.stdout)).toMatchObject({ now: { uploadBytesPerS: 2e6 }, times: [] })
    // By hand as well.
    const path = join(homeOf('node-02'), 'node.json')
    const file = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...file, capacityBytes: 4e9 }))
    await until(async () => (await statusOf('node-02')).status?.offeredBytes === 4e9)
    // What cannot be used is told in the log, and the node goes on by what it had.
    await writeFile(path, '{')
    await until(async () => (await grid.logs()).includes('settings-unusable'))
    expect((await statusOf('node-02')).status?.offeredBytes).toBe(4e9)
    await writeFile(path, JSON.stringify(file))
  })

  it('config refuses in a sentence what there is not, and changes nothing', async () => {
    const path = join(homeOf('node-03'), 'node.json')
    const before = await readFile(path, 'utf8')
    const cases: [string[], string, number][] = [
      [['--offer', '900TB'], 'it cannot offer', 64],
      [['--offer', '12'], 'takes a size with its unit', 64],
      [['--reserve', '900TB'], 'Reserve less', 64],
      [['--zone', 'a\nb'], 'must not hold control characters', 64],
      [['--zone', ' '], '1 to 64 characters', 64],
      [['--zone', 'x'.repeat(65)], '1 to 64 characters', 64],
      [['--upload-limit', 'fast'], 'takes a rate', 64],
      [['--listen', 'here'], 'takes a multiaddr', 64],
    ]
    for (const [args, sentence, status] of cases) {
      const run = await node('node-03', 'config', ...args)
      expect(run).toMatchObject({ status, stdout: '' })
      expect(run.stderr).toContain(sentence)
    }
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  it('takes orders from nobody who cannot read its home', async () => {
    expect((await stat(join(homeOf('node-01'), 'running.json'))).mode & 0o777).toBe(0o600)
    expect(await grid.logs()).not.toContain(
      (
        JSON.parse(await readFile(join(homeOf('node-01'), 'running.json'), 'utf8')) as {
          operator: { key: string }
        }
      ).operator.key,
    )
  })

  it('drain moves all that a node keeps before it goes, and nothing is lost', async () => {
    const file = join(grid.dir, 'other file')
    await writeFile(file, Buffer.alloc(1_200_000, 3))
    const { capability } = await grid.put(file)
    const before = await statusOf('node-04')
    const run = await node('node-04', 'drain', '--json')
    expect(run).toMatchObject({ status: 0 })
    expect(JSON.parse(run.stdout)).toMatchObject({
      draining: true,
      moved: { bytes: before.status?.usedBytes },
      left: { shares: 0, records: 0 },
      leasesLost: 0,
    })
    expect(await statusOf('node-04')).toMatchObject({ status: { usedBytes: 0, draining: true } })
    // Three of four nodes took shares of it; any two suffice, and one of the three may be this one.
    await grid.stopNodes(['node-04'])
    const { bytes } = await grid.run(['get', capability])
    expect(bytes.equals(await readFile(file))).toBe(true)
    // It drains also when it is started anew, until it is told otherwise.
    await grid.startNodes()
    await grid.put(file)
    expect(await statusOf('node-04')).toMatchObject({ status: { usedBytes: 0, draining: true } })
    expect(await node('node-04', 'drain', '--stop')).toMatchObject({ status: 0 })
    expect(await statusOf('node-04')).toMatchObject({ status: { draining: false } })
    expect(await node('node-04', 'drain', '--stop')).toMatchObject({ status: 0 })
  })

  it('is one of those that grid status asks, which adds up who gives and who takes', async () => {
    await grid.stopNodes(['node-03'])
    const run = await grid.run(['grid', 'status', '--json'])
    expect(run).toMatchObject({ status: 1 })
    const { nodes, members } = JSON.parse(run.stdout) as {
      nodes: { name: string; answers: boolean; usedBytes: number | null }[]
      members: { name: string; storesWithOthersBytes: number; balance: { kind: string } }[]
    }
    expect(nodes.map(({ name, answers }) => [name, answers])).toEqual([
      ['node-01', true],
      ['node-02', true],
      ['node-03', false],
      ['node-04', true],
    ])
    const keptBytes = nodes.reduce((sum, { usedBytes }) => sum + (usedBytes ?? 0), 0)
    const me = members.find(({ name }) => name === 'me')
    expect(me).toMatchObject({ storesWithOthersBytes: keptBytes, balance: { kind: 'takes' } })
    const told = await grid.run(['grid', 'status'])
    expect(told.stdout).toContain('3 of 4 nodes answer')
    expect(told.stdout).toMatch(
      /^me takes .* more than they give, and stores more than they offer/m,
    )
    await grid.startNodes()
  })

  it('export and import carry shares from one node to another by hand', async () => {
    const dir = join(grid.dir, 'disk')
    const run = await node('node-01', 'export', dir, '--json')
    expect(run).toMatchObject({ status: 0 })
    const { shares } = JSON.parse(run.stdout) as { shares: number }
    const before = (await statusOf('node-01')).status
    expect(shares).toBe(before?.shares)
    const other = (await statusOf('node-02')).status
    const imported = await node('node-02', 'import', dir, '--json')
    expect(imported).toMatchObject({ status: 0 })
    const taken = JSON.parse(imported.stdout) as { shares: number; there: number }
    expect(taken.shares).toBeGreaterThan(0)
    expect((await statusOf('node-02')).status?.shares).toBe((other?.shares ?? 0) + taken.shares)
    expect(await node('node-02', 'import', homeOf('node-01'))).toMatchObject({ status: 66 })
    expect(await node('node-01', 'export', dir, '--for', 'nobody')).toMatchObject({ status: 64 })
    const nowhere = await node('node-01', 'export', '/proc/self/fd/disk')
    expect(nowhere).toMatchObject({ status: expect.toBeOneOf([66, 73, 77]) as number })
    expect(nowhere.stderr).toContain('/proc/')
  })

  it('that does not run says so, and what to do', async () => {
    for (const command of ['scrub', 'collect', 'drain']) {
      const run = await hayloft(['node', command], { home: grid.home })
      expect(run).toMatchObject({ status: 78 })
      expect(run.stderr).toContain('hayloft node start')
    }
  })
})
