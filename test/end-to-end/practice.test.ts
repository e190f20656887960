import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processBirth } from '../../src/home/processes.ts'
import { hayloft } from '../support/hayloft.ts'
import { TestGrid, until, type PracticeJson } from './grid.ts'

let grid: TestGrid
let first: PracticeJson

beforeAll(async () => {
  grid = await TestGrid.start(3)
  first = await grid.startNodes()
})
afterAll(async () => await grid.end())

/** One that ended and was not reaped by its parent counts as gone. */
const isAlive = async (pid: number): Promise<boolean> => (await processBirth(pid)) !== undefined

describe('a practice grid', () => {
  it('is told as JSON: where it is, its client, its nodes', async () => {
    expect(first).toMatchObject({ dir: grid.dir, client: { home: join(grid.dir, 'me') } })
    expect(first.nodes.map(({ name }) => name)).toEqual(['node-01', 'node-02', 'node-03'])
    for (const { name, pid, home, peerId, addresses } of first.nodes) {
      expect(await isAlive(pid)).toBe(true)
      expect(home).toBe(join(grid.dir, name))
      expect(addresses).toEqual([
        expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3/),
      ])
      expect(addresses[0]).toContain(peerId)
    }
    expect(new Set(first.nodes.map(({ pid }) => pid)).size).toBe(3)
  })

  it('keeps its secrets to its owner', async () => {
    for (const { home } of [first.client, ...first.nodes]) {
      expect((await stat(home)).mode & 0o777).toBe(0o700)
      for (const name of ['identity.key', 'account.key']) {
        expect((await stat(join(home, name))).mode & 0o777).toBe(0o600)
      }
    }
  })

  it('that runs already is told again, and nothing is started', async () => {
    expect(await grid.startNodes()).toEqual(first)
    const run = await hayloft(['practice', 'start', '--dir', grid.dir])
    expect(run.stdout).toContain('running already')
  })

  it('is found by whoever uses its client home', async () => {
    const { status, stdout } = await grid.run(['practice', 'status', '--json'])
    expect({ status, ...(JSON.parse(stdout) as PracticeJson) }).toMatchObject({
      status: 0,
      ...first,
    })
  })

  it('does not change its size', async () => {
    const run = await hayloft(['practice', 'start', '--dir', grid.dir, '--nodes', '4'])
    expect(run).toMatchObject({ status: 64, stdout: '' })
  })

  it('has one process a node: a second one on the same home gives up', async () => {
    const home = first.nodes[0]?.home
    const run = await hayloft(['node', 'start'], { home })
    expect(run.status).not.toBe(0)
    expect(run.stderr).toContain('already running')
    expect((await hayloft(['node', 'status'], { home })).status).toBe(0)
  })

  it('finds its way from one bootstrap address alone', async () => {
    const file = join(grid.dir, 'file')
    await writeFile(file, Buffer.alloc(100_000, 5))
    // Nodes that have just started need a moment to find each other.
    await until(async () => {
      await writeFile(join(grid.home, 'addresses.json'), 'forgotten')
      const run = await grid.run(['put', file, '--json'])
      return run.status === 0 && run.stdout.includes('"healthy"')
    })
  })

  it('stops, and comes back the same with its shares, on other ports where those are taken', async () => {
    const file = join(grid.dir, 'file')
    const { capability } = await grid.put(file)
    await grid.stopNodes([])
    for (const { pid } of first.nodes) expect(await isAlive(pid)).toBe(false)
    expect((await grid.run(['practice', 'status'])).status).toBe(2)
    const port = Number(/tcp\/(\d+)/.exec(first.nodes[0]?.addresses[0] ?? '')?.[1])
    const squatter = createServer().listen(port, '127.0.0.1')
    await once(squatter, 'listening')
    try {
      const again = await grid.startNodes()
      expect(again.nodes.map(({ peerId }) => peerId)).toEqual(
        first.nodes.map(({ peerId }) => peerId),
      )
      expect(again.nodes[0]?.addresses).not.toEqual(first.nodes[0]?.addresses)
      expect(again.nodes[1]?.addresses).toEqual(first.nodes[1]?.addresses)
      expect((await grid.run(['get', capability])).bytes.equals(await readFile(file))).toBe(true)
    } finally {
      squatter.close()
    }
  })

  it('never signals a process that only has the pid of a node', async () => {
    grid.signalNode('node-02', 'SIGKILL')
    const bystander = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    try {
      const path = join(grid.dir, 'node-02', 'running.json')
      const recorded = JSON.parse(await readFile(path, 'utf8')) as object
      await writeFile(path, JSON.stringify({ ...recorded, pid: bystander.pid }))
      const run = await hayloft(['practice', 'stop', '--dir', grid.dir, 'node-02'])
      expect(run).toMatchObject({ status: 0 })
      expect(run.stdout).toContain('None of these nodes was running')
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
      const again = await grid.startNodes()
      expect(again.nodes[1]?.pid).not.toBe(bystander.pid)
      expect(bystander.exitCode ?? bystander.signalCode).toBeNull()
    } finally {
      bystander.kill('SIGKILL')
    }
  })

  it('stops nodes that are frozen, and only those named', async () => {
    grid.signalNode('node-03', 'SIGSTOP')
    await grid.stopNodes(['node-03'])
    const { status, stdout } = await grid.run(['practice', 'status', '--json'])
    expect(status).toBe(1)
    expect((JSON.parse(stdout) as PracticeJson).nodes.map(({ pid }) => pid === null)).toEqual([
      false,
      false,
      true,
    ])
    await grid.startNodes()
  })
})
