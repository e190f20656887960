import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { withKeptPorts } from '../../../src/cli/node/kept-ports.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hayloft-ports-'))
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

const ANY = '/ip4/127.0.0.1/tcp/0'
const portIn = (address: string | undefined): number =>
  Number(/\/tcp\/(\d+)/.exec(address ?? '')?.[1])

describe('the ports of a node', () => {
  it('are as at the last start where the settings name none', async () => {
    const files = { ports: join(dir, 'ports.json') }
    const named = '/ip4/127.0.0.1/tcp/4001'
    const first = await withKeptPorts(files, [ANY, named])
    expect(portIn(first[0])).toBeGreaterThan(0)
    expect(first[1]).toBe(named)
    expect(await withKeptPorts(files, [ANY, named])).toEqual(first)
    // What follows the port stays, and each address has its own.
    const others = await withKeptPorts(files, [ANY, `${ANY}/ws`])
    expect(others[0]).toBe(first[0])
    expect(others[1]).toMatch(/^\/ip4\/127\.0\.0\.1\/tcp\/[1-9]\d*\/ws$/)
  })

  it('are others where one is taken, or what was remembered is no use', async () => {
    const files = { ports: join(dir, 'ports.json') }
    const [first] = await withKeptPorts(files, [ANY])
    const server = createServer().listen(portIn(first), '127.0.0.1')
    await once(server, 'listening')
    const [other] = await withKeptPorts(files, [ANY])
    expect(portIn(other)).not.toBe(portIn(first))
    server.close()
    await once(server, 'close')
    expect(await withKeptPorts(files, [ANY])).toEqual([other])
    for (const text of ['{', '{"format":"hayloft-ports","version":1,"ports":{"x":70000}}']) {
      await writeFile(files.ports, text)
      expect(portIn((await withKeptPorts(files, [ANY]))[0])).toBeGreaterThan(0)
    }
  })

  it('leave alone what is no address of this computer', async () => {
    const files = { ports: join(dir, 'ports.json') }
    const listen = ['/ip4/203.0.113.9/tcp/0', '/ip4/127.0.0.1/udp/0/webrtc-direct']
    expect(await withKeptPorts(files, listen)).toEqual(listen)
  })
})
