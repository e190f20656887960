import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hayloft, startHayloft } from '../support/hayloft.ts'
import { TestGrid, until } from './grid.ts'
import { noise } from './noise.ts'

/** The daemon and its API, as programs use them. */
let grid: TestGrid

beforeAll(async () => {
  grid = await TestGrid.start(4)
})
afterAll(async () => {
  await hayloft(['stop'], { home: grid.home })
  await grid.end()
})

/** `HAYLOFT_KILL_ROUNDS=100 npx vitest run test/end-to-end/daemon-api.test.ts` tries harder. */
const ROUNDS = Number(process.env['HAYLOFT_KILL_ROUNDS'] ?? 4)

interface Asked extends Omit<RequestInit, 'headers'> {
  readonly headers?: Readonly<Record<string, string>>
}

interface Running {
  readonly pid: number
  readonly ask: (path: string, request?: Asked) => Promise<Response>
  readonly kill: () => Promise<void>
}

/** In the foreground, so that it ends with the tests. */
async function start(): Promise<Running> {
  const { child, ended } = startHayloft(['start'], { home: grid.home })
  const path = join(grid.home, 'daemon.json')
  let port = 0
  await until(async () => {
    const text = await readFile(path, 'utf8').catch(() => '{}')
    const daemon = JSON.parse(text) as { pid?: number; port?: number }
    port = daemon.pid === child.pid ? (daemon.port ?? 0) : 0
    return port !== 0
  })
  const token = (await readFile(join(grid.home, 'api-token'), 'utf8')).trim()
  return {
    pid: child.pid ?? 0,
    ask: async (route, request = {}) => {
      const headers = { authorization: `Bearer ${token}`, ...request.headers }
      return await fetch(`http://127.0.0.1:${port}${route}`, { ...request, headers })
    },
    kill: async () => {
      if (child.exitCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
      await ended
    },
  }
}

const contentAt = (path: string): string => `/v1/files/content?path=${path}`

async function put({ ask }: Running, path: string, body: Uint8Array): Promise<boolean> {
  const headers = { 'content-type': 'application/octet-stream' }
  try {
    const answer = await ask(contentAt(path), {
      method: 'PUT',
      headers,
      body: new Uint8Array(body),
    })
    return answer.status === 201
  } catch {
    return false
  }
}

describe('a daemon', () => {
  it(
    `that is killed at any moment keeps all that it has acknowledged (${ROUNDS} times)`,
    async () => {
      const acknowledged: string[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const daemon = await start()
        let done = 0
        const load = Array.from({ length: 3 }, async (_, writer) => {
          for (let number = 0; ; number++) {
            const path = `kills/${round}-${writer}-${number}`
            if (!(await put(daemon, path, noise(path, 1000 + 300_000 * writer)))) return
            acknowledged.push(path)
            done += 1
          }
        })
        // Each round a little later, in the midst of what is under way.
        await until(async () => await Promise.resolve(done > round))
        await daemon.kill()
        await Promise.all(load)
      }
      const daemon = await start()
      for (const path of acknowledged) {
        const answer = await daemon.ask(contentAt(path))
        const bytes = Buffer.from(await answer.arrayBuffer())
        const writer = Number(path.split('-')[1])
        expect(bytes.equals(noise(path, 1000 + 300_000 * writer)), path).toBe(true)
      }
      await daemon.kill()
      expect(acknowledged.length).toBeGreaterThan(ROUNDS)
    },
    60_000 + ROUNDS * 30_000,
  )

  it('tells of members what commands tell of them', async () => {
    const daemon = await start()
    const { members } = (await (await daemon.ask('/v1/members')).json()) as { members: unknown[] }
    expect(members).toHaveLength(5)
    const told = await grid.json<{ members: unknown[] }>(['grid', 'members'])
    expect(members).toEqual(told.members)
    await daemon.kill()
  })

  it('writes no capability, token or key into any log', async () => {
    const daemon = await start()
    const token = (await readFile(join(grid.home, 'api-token'), 'utf8')).trim()
    const post = async (route: string, body: object): Promise<string> => {
      const headers = { 'content-type': 'application/json' }
      const answer = await daemon.ask(route, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      })
      return await answer.text()
    }
    const made = JSON.parse(await (await daemon.ask('/v1/folders', { method: 'POST' })).text()) as {
      capability: string
    }
    const secrets = [made.capability, token]
    for (const name of ['account.key', 'identity.key']) {
      const key = await readFile(join(grid.home, name))
      secrets.push(key.toString('hex'), key.toString('base64'), key.toString('latin1'))
    }
    // Good requests, bad ones, and a sync of a directory that cannot be.
    await post('/v1/folders/make-directory', { place: { capability: made.capability, path: 'd' } })
    await post('/v1/capabilities/explain', { capability: `${made.capability}x` })
    await post('/v1/syncs', { directory: `/${made.capability}`, place: { path: 'x' } })
    await daemon.ask(`/v1/folders/entries?path=${made.capability}`)
    await daemon.ask(contentAt('none'), { headers: { 'hayloft-capability': made.capability } })
    await daemon.ask('/v1/stop', { method: 'POST' })
    await until(async () => (await hayloft(['status'], { home: grid.home })).status === 1)
    const logs = join(grid.home, 'logs')
    const texts = await Promise.all(
      (await readdir(logs)).map(async (name) => await readFile(join(logs, name), 'latin1')),
    )
    const text = texts.join('\n')
    expect(text).toContain('"event":"ready"')
    for (const secret of secrets) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain(secret.slice(-40))
    }
  })
})
