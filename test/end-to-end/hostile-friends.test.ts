import type { Connection } from '@libp2p/interface'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signingAsAccount } from '../../src/capabilities/grid-keys.ts'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { readSecrets } from '../../src/home/key-store.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { readRunning } from '../../src/home/running-file.ts'
import {
  dialAddresses,
  joinProtocol,
  membersProtocol,
  startHost,
  storeProtocol,
  type Host,
} from '../../src/network/host.ts'
import { nodeKeyOfIdentity } from '../../src/network/identity.ts'
import { give } from '../../src/network/membership/exchange.ts'
import { Gate } from '../../src/network/membership/gate.ts'
import { askDoor } from '../../src/network/membership/introduction.ts'
import { MAX_EXCHANGE_MESSAGE_BYTES } from '../../src/network/membership/limits.ts'
import { encodeMemberRequest } from '../../src/network/membership/messages.ts'
import { openTalk } from '../../src/network/membership/talk.ts'
import { MAX_DEVICE_STATEMENTS, MAX_DEVICES } from '../../src/protocol/membership/limits.ts'
import { signConsent, signDevice } from '../../src/protocol/membership/sign.ts'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { deviceWordFrom, inviteFrom, membershipOf } from './founder.ts'
import { TestGrid, until, type CheckJson } from './grid.ts'
import { openLiar } from './liar.ts'
import { noise } from './noise.ts'

let grid: TestGrid
let gridId: Uint8Array
const hosts: Host[] = []

beforeAll(async () => {
  grid = await TestGrid.start(4)
  ;({ gridId } = await membershipOf(grid.home))
  await joined('ben', await inviteFrom(grid.home, { addresses: [addressOf('node-01')] }))
})
afterAll(async () => {
  for (const host of hosts) {
    for (const each of host.getConnections()) each.abort(new Error('over'))
    await host.stop()
  }
  await grid.end()
})

const homeOf = (name: string): string => join(grid.dir, name)
const addressOf = (node: string): string =>
  grid.nodes.find(({ name }) => name === node)?.addresses[0] ?? ''
const secretsOf = async (name: string) =>
  await readSecrets(homeFiles(homeOf(name)), () => Promise.reject(new Error('none is set')))

async function run(name: string, args: readonly string[], stdin?: string | Buffer): Promise<Run> {
  return await hayloft(args, { home: homeOf(name), ...(stdin !== undefined && { stdin }) })
}

async function joinGrid(name: string, word: string, args: readonly string[] = []): Promise<Run> {
  return await run(name, ['grid', 'join', '-', '--json', '--as', name, ...args], word)
}

async function joined(name: string, word: string, args?: readonly string[]): Promise<void> {
  const { status, stderr } = await joinGrid(name, word, args)
  if (status !== 0) throw new Error(`grid join ended with ${status}: ${stderr}`)
}

/** A host that follows no rules, with the key of a device. */
async function rogue(identity: Uint8Array): Promise<Host> {
  const gate = new Gate({ isMember: () => true, joinProtocol: undefined, clock: systemClock })
  const host = await startHost({
    identity,
    gridId,
    listen: [],
    gate,
    clock: systemClock,
    servesDht: false,
  })
  hosts.push(host)
  return host
}

async function rogueOf(name: string): Promise<{ host: Host; identity: Uint8Array }> {
  const { identity } = await secretsOf(name)
  if (identity === undefined) throw new Error(`${name} has no key`)
  return { host: await rogue(identity), identity }
}

async function dial(host: Host, node: string): Promise<Connection> {
  return await dialAddresses(host, [addressOf(node)], new AbortController().signal)
}

/** Tells a node statements as one of its members. */
async function tell(host: Host, node: string, statements: readonly Uint8Array[]): Promise<void> {
  const talk = await openTalk(await dial(host, node), {
    protocol: membersProtocol(gridId),
    maxMessageBytes: MAX_EXCHANGE_MESSAGE_BYTES,
    clock: systemClock,
  })
  try {
    await give(talk, statements)
  } finally {
    await talk.close()
  }
}

describe('a stolen computer', () => {
  it('is cut off everywhere at once when it is removed, while it runs, and stays out with what it has', async () => {
    const word = await deviceWordFrom(homeOf('ben'), [addressOf('node-02')])
    await joined('phone', word)
    await joined('laptop', word, ['--offer', '1GB'])
    const laptop = startHayloft(['node', 'start'], { home: homeOf('laptop') })
    await until(async () => (await readRunning(homeFiles(homeOf('laptop')).running)) !== undefined)
    const { host: thief, identity } = await rogueOf('phone')
    const connections = await Promise.all(grid.nodes.map(({ name }) => dial(thief, name)))
    for (const each of connections) await each.newStream([storeProtocol(gridId)])
    const { devices } = JSON.parse((await run('ben', ['device', 'list', '--json'])).stdout) as {
      devices: { key: string; here: boolean }[]
    }
    const ownKeys = new Set(devices.filter(({ here }) => here).map(({ key }) => key))
    const before = (await membershipOf(homeOf('ben'))).all().map(({ bytes }) => bytes)
    for (const { key } of devices.filter((device) => !ownKeys.has(device.key))) {
      expect(await run('ben', ['device', 'remove', key])).toMatchObject({ status: 0 })
    }
    await until(() => Promise.resolve(connections.every(({ status }) => status !== 'open')))
    const { status, stderr } = await laptop.ended
    expect([status, stderr]).toEqual([77, expect.stringContaining('does not belong to the grid')])
    for (const { name } of grid.nodes) {
      const door = await dial(thief, name)
      await expect(door.newStream([storeProtocol(gridId)])).rejects.toThrow()
      // What it was told while it belonged to the grid.
      const device = nodeKeyOfIdentity(identity)
      const request = { kind: 'introduce', statements: before.slice(0, 20) } as const
      const answer = await askDoor(door, request, { gridId, clock: systemClock })
      expect(answer).toMatchObject({ kind: 'refusal', reason: 'removed' })
      expect((await membershipOf(homeOf(name))).isMember(device)).toBe(false)
    }
    for (const each of thief.getConnections()) each.abort(new Error('enough'))
    // Whoever finds out while it works is told with the next command at the latest.
    await until(async () => {
      const refused = await run('phone', ['put', '-', '--json'], noise('p', 5_000))
      expect(refused.status).not.toBe(0)
      return refused.status === 77 && refused.stderr.includes('"not-a-member"')
    })
    expect((await run('ben', ['put', '-', 'home:mine'], noise('b', 5_000))).status).toBe(0)
  })
})

describe('a member', () => {
  it('takes the place of no newer statement with an old one, on a node that runs', async () => {
    const { host: ben } = await rogueOf('ben')
    const old = (await membershipOf(homeOf('node-01'))).all().map(({ bytes }) => bytes)
    const key = (await membershipOf(homeOf('node-01'))).nodes.find(
      ({ name }) => name === 'node-02',
    )!.key
    const zone = async () => (await membershipOf(homeOf('node-01'))).announcementOf(key)?.zone
    await run('node-02', ['node', 'config', '--zone', 'cellar'])
    await until(async () => (await zone()) === 'cellar')
    const removed = (await membershipOf(homeOf('ben')))
      .all()
      .filter((each) => each.kind === 'device' && each.status === 'removed')
    expect(removed.length).toBeGreaterThan(0)
    const now = (await membershipOf(homeOf('node-01'))).digests()
    await tell(ben, 'node-01', old)
    expect(await zone()).toBe('cellar')
    expect((await membershipOf(homeOf('node-01'))).digests()).toEqual(now)
    // One with a byte wrong is nobody's, and whoever sends it is heard no more.
    const spoilt = old.at(-1)!.slice()
    spoilt[spoilt.length - 1]! ^= 1
    await expect(tell(ben, 'node-01', [spoilt])).rejects.toThrow()
    expect((await membershipOf(homeOf('node-01'))).digests()).toEqual(now)
  })

  it('that reads and answers nothing, and a stranger that does the same, hold up nobody', async () => {
    const { host: ben } = await rogueOf('ben')
    await ben.handle(membersProtocol(gridId), (stream) => {
      stream.pause()
    })
    for (const node of ['node-02', 'node-03', 'node-04']) {
      const connection = await dial(ben, node)
      for (let at = 0; at < 3; at++) {
        const stream = await connection.newStream([membersProtocol(gridId)])
        stream.pause()
        const asked = encodeMemberRequest({ kind: 'compare', summary: new Uint8Array(32) })
        stream.send(Uint8Array.of(0, 0, 0, asked.length))
        stream.send(asked)
      }
      const door = await dial(await rogue(systemRandomness.bytes(32)), node)
      const stream = await door.newStream([joinProtocol(gridId)])
      stream.pause()
      stream.send(Uint8Array.of(0, 0, 1, 0, 0xa1))
    }
    // Each is news that everybody hears, and the first would wait for ben.
    for (const name of ['carol', 'dave']) {
      await joined(name, await inviteFrom(grid.home, { addresses: [addressOf('node-02')] }))
      for (const node of ['node-03', 'node-04']) {
        await until(async () =>
          (await membershipOf(homeOf(node))).members.some((each) => each.name === name),
        )
      }
    }
    expect(await run('dave', ['put', '-', 'home:mine'], noise('d', 5_000))).toMatchObject({
      status: 0,
    })
    for (const each of ben.getConnections()) each.abort(new Error('enough'))
  })

  it('brings in as many as the invite says under however many names, and no more devices than one may have', async () => {
    const doors = ['node-01', 'node-02', 'node-03', 'node-04'].map(addressOf)
    const word = await inviteFrom(grid.home, { addresses: [], uses: 2 })
    const names = ['sybil 1', 'sybil 2', 'sybil 3', 'sybil 4']
    await Promise.all(names.map((name, at) => joinGrid(name, word, ['--at', doors[at] ?? ''])))
    const late = await joinGrid('sybil 5', word, ['--at', doors[0] ?? ''])
    expect([late.status, late.stderr]).toEqual([77, expect.stringContaining('"invite-used"')])
    const isSybil = ({ name }: { name: string }) => name.startsWith('sybil')
    for (const { name } of grid.nodes) {
      await until(
        async () => (await membershipOf(homeOf(name))).members.filter(isSybil).length === 2,
      )
    }
    expect((await grid.run(['grid', 'members'])).stdout).toContain('was used again')

    const { host: ben } = await rogueOf('ben')
    const { account } = await membershipOf(homeOf('node-02')).then(({ members }) =>
      members.find(({ name }) => name === 'ben')!,
    )
    const own = (await secretsOf('ben')).account
    if (own === undefined) throw new Error('ben has an account')
    const seeds = Array.from({ length: 80 }, () => systemRandomness.bytes(32))
    const claims = seeds.map((seed, at) => {
      const consent = signConsent(account, { gridId, seed })
      const device = nodeKeyOfIdentity(seed)
      const said = { account, device, seq: 1, name: `${at}`, use: 'storage', status: 'in' } as const
      return signDevice({ ...said, consent }, signingAsAccount(own, gridId)).bytes
    })
    // The newest count, so that his own computer is one too many by then, and is cut off while it speaks.
    await tell(ben, 'node-02', claims).catch(() => undefined)
    await until(
      async () =>
        (await membershipOf(homeOf('node-02'))).member(account)?.devices.length === MAX_DEVICES,
    )
    const membership = await membershipOf(homeOf('node-02'))
    expect(membership.member(account)?.devices).toHaveLength(MAX_DEVICES)
    const kept = membership.all().filter((each) => each.kind === 'device')
    const ofBen = kept.filter((each) => each.account === account)
    expect(ofBen.length).toBeLessThanOrEqual(MAX_DEVICE_STATEMENTS)
    const inside = seeds.filter((seed) => membership.isMember(nodeKeyOfIdentity(seed)))
    expect(inside.length).toBeLessThanOrEqual(MAX_DEVICES)
  })
})

describe('a node', () => {
  const check = async (place: string): Promise<CheckJson> =>
    await grid.json<CheckJson>(['check', place, '--verify'], [0, 1])
  const good = ({ blocks }: CheckJson): number[] => blocks.map(({ sharesGood }) => sharesGood)
  const put = async (name: string): Promise<void> => {
    const stored = await grid.run(['put', '-', `home:${name}`], { stdin: noise(name, 200_000) })
    expect([0, 1]).toContain(stored.status)
  }
  const cat = async (name: string): Promise<Run> => await grid.run(['cat', `home:${name}`])

  it('that drops writes, serves rot or shows old slots is found out, and costs nobody a file', async () => {
    await grid.stopNodes(['node-04'])
    await using liar = await openLiar(grid, 'node-04')
    await put('first')
    const whole = await check('home:first')
    expect(whole.healthy).toBe(true)
    liar.lie('shard: any bit')
    const rotten = await check('home:first')
    expect(rotten).toMatchObject({ recoverable: true, healthy: false })
    expect(Math.max(...good(rotten))).toBeLessThan(Math.min(...good(whole)))
    liar.lie('forgets')
    await put('second')
    const dropped = await check('home:second')
    expect(dropped).toMatchObject({ recoverable: true, healthy: false })
    const mended = await grid.run(['maintain', '--once', '--json'])
    // It is short of a node to rely upon, and says which.
    expect(mended.status, mended.stderr).toBe(1)
    expect(mended.stdout).toContain('"kind":"distrusted","node":"node-04"')
    liar.lie('rolls slots back')
    await put('third')
    for (const name of ['first', 'second', 'third']) {
      const { bytes, stderr } = await cat(name)
      expect(bytes.equals(noise(name, 200_000))).toBe(true)
      expect(stderr).not.toContain('Warning')
    }
  })

  it('that is set back with all others is told of, and the older state is not taken for the present', async () => {
    const names = grid.nodes.map(({ name }) => name)
    const stores = names.map((name) => homeFiles(homeOf(name)).store)
    await grid.stopNodes(names)
    for (const store of stores) await cp(store, `${store}.backup`, { recursive: true })
    await grid.startNodes()
    await put('fourth')
    await grid.stopNodes(names)
    for (const store of stores) {
      await rm(store, { recursive: true })
      await cp(`${store}.backup`, store, { recursive: true })
    }
    await grid.startNodes()
    const told = await grid.run(['ls', 'home:'])
    expect(told.stderr).toContain('show an older state of a folder than this computer has seen')
    // What is lost with the disks is said to be so; the older state is not passed off as what is there now.
    expect(told).toMatchObject({ status: 2, stdout: '' })
    expect(told.stderr).toContain('nodes have gone back to an older state')
  })
})
