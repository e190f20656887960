import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GRIDS_VARIABLE } from '../support/global-setup.ts'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { until } from './grid.ts'
import { noise } from './noise.ts'

/** Two friends, each with one daemon that runs a storage node, a client and a synced directory. */
let dir: string
const daemons = new Map<string, ChildProcess>()

beforeAll(async () => {
  dir = await mkdtemp(join(process.env[GRIDS_VARIABLE] ?? tmpdir(), 'daemons-'))
  const listen = ['--offer', '1GB', '--listen', '/ip4/127.0.0.1/tcp/0', '--json']
  await json('ada', ['grid', 'create', 'Barn', ...listen])
  await start('ada')
  const { invite } = await json<{ invite: string }>('ada', ['grid', 'invite', '--json'])
  await json('ben', ['grid', 'join', '-', ...listen], invite)
  await start('ben')
})
afterAll(async () => {
  for (const daemon of daemons.values()) daemon.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

const homeOf = (name: string): string => join(dir, name)

async function run(name: string, args: readonly string[], stdin?: string): Promise<Run> {
  return await hayloft(args, { home: homeOf(name), ...(stdin !== undefined && { stdin }) })
}

async function json<T>(name: string, args: readonly string[], stdin?: string): Promise<T> {
  const { status, stdout, stderr } = await run(name, args, stdin)
  if (status !== 0) throw new Error(`hayloft ${args.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as T
}

async function start(name: string): Promise<void> {
  const { child } = startHayloft(['start'], { home: homeOf(name) })
  daemons.set(name, child)
  await until(async () => (await run(name, ['status'])).status === 0 || child.exitCode !== null)
  expect(child.exitCode).toBeNull()
}

async function kill(name: string): Promise<void> {
  const daemon = daemons.get(name)
  daemon?.kill('SIGKILL')
  if (daemon !== undefined) await once(daemon, 'exit')
}

interface NodeJson {
  readonly pid: number
  readonly status: {
    readonly shares: number
    readonly care: string
    readonly connected: number
    readonly usedBytes: number
  }
}

const nodeOf = async (name: string): Promise<NodeJson> =>
  await json<NodeJson>(name, ['node', 'status', '--json'])

describe('daemons of friends', () => {
  it('run the storage nodes of their homes, which take orders as ever', async () => {
    const { pid } = daemons.get('ada') ?? {}
    expect(await nodeOf('ada')).toMatchObject({ pid, status: { care: 'on' } })
    expect(await json('ada', ['status', '--json'])).toMatchObject({ pid, caring: true })
    expect((await run('ada', ['node', 'scrub'])).status).toBe(0)
    await json('ada', ['node', 'config', '--reserve', '200MB', '--json'])
    const refused = await run('ada', ['node', 'start'])
    expect(refused.stderr).toContain('already running')
    expect((await run('ada', ['maintain', '--once'])).stderr).toContain('the daemon')
  })

  it('keep files for each other, which commands put and get through them', async () => {
    const file = join(dir, 'large')
    await writeFile(file, noise('daemons', 20 * 2 ** 20))
    expect((await run('ada', ['put', file, 'home:large'])).status).toBe(0)
    const got = await run('ada', ['get', 'home:large'])
    expect(got.bytes.equals(noise('daemons', 20 * 2 ** 20))).toBe(true)
    for (const name of ['ada', 'ben']) {
      expect((await nodeOf(name)).status.shares).toBeGreaterThan(20)
    }
  })

  it('bring what one writes to the other, also after both were killed', async () => {
    for (const name of ['ada', 'ben']) await mkdir(join(dir, `${name} files`))
    const at = (name: string): string => join(dir, `${name} files`, 'note')
    const untilReads = async (name: string, text: string): Promise<void> => {
      await until(async () => (await readFile(at(name), 'utf8').catch(() => '')) === text)
    }
    await json('ada', ['sync', 'add', join(dir, 'ada files'), 'home:shared', '--json'])
    const shared = ['capability', 'home:shared', '--to', 'write', '--json']
    const { capability } = await json<{ capability: string }>('ada', shared)
    const added = await run('ben', ['sync', 'add', join(dir, 'ben files'), '-'], capability)
    expect(added).toMatchObject({ status: 0, stderr: '' })
    await writeFile(at('ada'), 'from ada')
    await untilReads('ben', 'from ada')
    for (const [killed, other] of [
      ['ben', 'ada'],
      ['ada', 'ben'],
    ] as const) {
      await kill(killed)
      await writeFile(at(killed), `${killed} was killed`)
      await start(killed)
      await untilReads(other, `${killed} was killed`)
    }
    const got = await run('ada', ['get', 'home:large'])
    expect(got.bytes.equals(noise('daemons', 20 * 2 ** 20))).toBe(true)
    expect((await run('ada', ['sync', 'remove', join(dir, 'ada files')])).status).toBe(0)
    expect(await json('ada', ['sync', 'status', '--json'])).toMatchObject({ syncs: [] })
  }, 180_000)

  it('have their nodes configured and drained by programs as well', async () => {
    const { port } = JSON.parse(await readFile(join(homeOf('ben'), 'daemon.json'), 'utf8')) as {
      port: number
    }
    const token = (await readFile(join(homeOf('ben'), 'api-token'), 'utf8')).trim()
    const ask = async (method: string, path: string, body?: object): Promise<Response> =>
      await fetch(`http://127.0.0.1:${port}/v1/node/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
      })
    const changed = await ask('PATCH', 'config', { zone: 'Elm 3', accountQuotaBytes: 3e9 })
    expect(await changed.json()).toMatchObject({
      zone: 'Elm 3',
      accountQuotaBytes: 3e9,
      applied: 'running',
    })
    const config = await json<object>('ben', ['node', 'config', '--json'])
    expect(config).toMatchObject({ zone: 'Elm 3', accountQuotaBytes: 3e9, draining: false })
    expect(await (await ask('GET', 'config')).json()).toEqual(config)
    for (const [body, status, code] of [
      [{ listen: ['here'] }, 400, 'usage'],
      [{ zone: 'a\u0007' }, 400, 'usage'],
      [{ capacityBytes: 9e15 }, 409, 'offer-exceeds-disk'],
      [{ draining: true }, 400, 'request-invalid'],
    ] as const) {
      const refused = await ask('PATCH', 'config', body)
      expect(await refused.json()).toMatchObject({ status, code })
    }
    const { usedBytes } = (await nodeOf('ben')).status
    const drained = (await (await ask('POST', 'drain')).json()) as { moved: { bytes: number } }
    expect(drained).toMatchObject({ draining: true, left: { shares: 0 } })
    expect(drained.moved.bytes).toBeGreaterThan(usedBytes / 2)
    expect((await nodeOf('ben')).status).toMatchObject({ usedBytes: 0, draining: true })
    expect((await ask('DELETE', 'drain')).status).toBe(204)
    expect((await nodeOf('ben')).status).toMatchObject({ draining: false })
  }, 120_000)

  it('find each other again when both were ended and start at once', async () => {
    const addressesOf = async (name: string): Promise<unknown> =>
      (await json<{ addresses: unknown }>(name, ['node', 'status', '--json'])).addresses
    const before = await Promise.all(['ada', 'ben'].map(addressesOf))
    await Promise.all(['ada', 'ben'].map(kill))
    await Promise.all(['ada', 'ben'].map(start))
    // They are where the other one remembers them, though their settings name no port.
    expect(await Promise.all(['ada', 'ben'].map(addressesOf))).toEqual(before)
    await until(async () => (await nodeOf('ada')).status.connected > 0)
    await until(async () => (await nodeOf('ben')).status.connected > 0)
  }, 120_000)

  it('leave the node to "node start" when they are told to', async () => {
    expect((await run('ben', ['stop'])).status).toBe(0)
    const { child: node } = startHayloft(['node', 'start'], { home: homeOf('ben') })
    daemons.set('ben node', node)
    await until(async () => (await run('ben', ['node', 'status'])).status === 0)
    const refused = await run('ben', ['start', '--detach'])
    expect(refused).toMatchObject({ status: 75, stdout: '' })
    expect(refused.stderr).toContain('--no-node')
    const { child } = startHayloft(['start', '--no-node'], { home: homeOf('ben') })
    daemons.set('ben', child)
    await until(async () => (await run('ben', ['status'])).status === 0)
    expect(await json('ben', ['status', '--json'])).toMatchObject({ node: null })
    expect((await nodeOf('ben')).pid).toBe(node.pid)
  }, 120_000)

  it('tell whoever is removed that this is why nothing can be stored any more', async () => {
    interface Members {
      readonly members: readonly { readonly account: string; readonly you: boolean }[]
    }
    const { members } = await json<Members>('ada', ['grid', 'members', '--json'])
    const ben = members.find(({ you }) => !you)?.account ?? ''
    const removed = run('ada', ['grid', 'remove', ben.slice(0, 16)])
    let put: Run | undefined
    await until(async () => {
      put = await run('ben', ['put', '-', '--random-key'], 'hay '.repeat(100))
      return put.status !== 0
    })
    expect(put).toMatchObject({ status: 77 })
    expect(put?.stderr).toContain('does not belong to the grid Barn any more')
    expect((await removed).status).toBe(0)
    const log = await readFile(join(homeOf('ben'), 'logs', 'daemon.log'), 'utf8')
    expect(log).not.toContain('api-bug')
  }, 120_000)
})
