import { once } from 'node:events'
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hayloft } from '../support/hayloft.ts'
import { TestGrid, until } from './grid.ts'

/** The daemon of a home, as its user starts and ends it. */
let grid: TestGrid

beforeAll(async () => {
  grid = await TestGrid.start(4)
})
afterAll(async () => {
  await run('stop')
  await grid.end()
})

const run = async (...args: string[]): ReturnType<typeof hayloft> =>
  await hayloft(args, { home: grid.home })

interface Started {
  readonly pid: number
  readonly port: number
}

async function start(): Promise<Started> {
  const { status, stdout, stderr } = await run('start', '--detach', '--json')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return JSON.parse(stdout) as Started
}

describe('the daemon', () => {
  it('is ready when start --detach returns, and there is one for a home', async () => {
    const { pid, port } = await start()
    const { status, stdout } = await run('status', '--json')
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ running: true, pid, node: null, caring: true })
    const answer = await fetch(`http://127.0.0.1:${port}/v1/status`)
    expect(answer.status).toBe(401)
    for (const args of [['start'], ['start', '--detach']]) {
      const second = await run(...args)
      expect(second).toMatchObject({ status: 75, stdout: '' })
      expect(second.stderr).toContain(`runs already, as process ${pid}`)
    }
  })

  it('ends by stop, and says so when there is none', async () => {
    expect(await run('stop')).toMatchObject({ status: 0 })
    expect((await run('status')).status).toBe(1)
    const { status, stdout } = await run('stop')
    expect(status).toBe(0)
    expect(stdout).toContain('No daemon runs')
    await expect(access(join(grid.home, 'daemon.json'))).rejects.toThrow('ENOENT')
  })

  it('starts anew after it was killed, and by a lock that it left', async () => {
    const { pid } = await start()
    process.kill(pid, 'SIGKILL')
    await until(async () => (await run('status')).status === 1)
    const again = await start()
    expect(again.pid).not.toBe(pid)
    expect(JSON.parse((await run('stop', '--json')).stdout)).toEqual({
      stopped: true,
      killed: false,
      pid: again.pid,
    })
    const log = await readFile(join(grid.home, 'logs', 'daemon.log'), 'utf8')
    const events = log.trimEnd().split('\n')
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ event: 'stopped' })
  })

  it('says why it cannot start, detached or not, and makes nothing of a home that is none', async () => {
    const nowhere = join(grid.home, 'no', 'home')
    for (const args of [['start'], ['start', '--detach']]) {
      const refused = await hayloft(args, { home: nowhere })
      expect(refused).toMatchObject({ status: 78, stdout: '' })
      expect(refused.stderr).toContain('There is no account')
    }
    await expect(access(nowhere)).rejects.toThrow('ENOENT')
    const server = (await import('node:net')).createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const taken = await run('start', '--detach', '--port', String(port))
    expect(taken).toMatchObject({ status: 74, stdout: '' })
    expect(taken.stderr).toContain(`port ${port}`)
    server.close()
  })
})
