import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import type { ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import {
  dialAddresses,
  joinProtocol,
  membersProtocol,
  startHost,
  storeProtocol,
} from '../../src/network/host.ts'
import { Gate } from '../../src/network/membership/gate.ts'
import { askDoor } from '../../src/network/membership/introduction.ts'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { deviceWordFrom, inviteFrom, membershipOf, removeMember } from './founder.ts'
import { TestGrid, until, type StoredJson } from './grid.ts'

let grid: TestGrid
const children: ChildProcess[] = []

beforeAll(async () => {
  grid = await TestGrid.start(3)
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await grid.end()
})

const homeOf = (name: string): string => join(grid.dir, `home-of-${name}`)

function addressOf(node: string): string {
  const address = grid.nodes.find(({ name }) => name === node)?.addresses[0]
  if (address === undefined) throw new Error(`${node} does not run`)
  return address
}

interface JoinedJson {
  readonly joined: boolean
  readonly name: string
  readonly node: string | null
  readonly members: number
}

async function joinGrid(name: string, word: string, args: readonly string[] = []): Promise<Run> {
  const options = ['--json', '--as', name, ...args]
  return await hayloft(['grid', 'join', '-', ...options], { home: homeOf(name), stdin: word })
}

async function joined(name: string, word: string, args?: readonly string[]): Promise<JoinedJson> {
  const run = await joinGrid(name, word, args)
  if (run.status !== 0) throw new Error(`grid join ended with ${run.status}: ${run.stderr}`)
  return JSON.parse(run.stdout) as JoinedJson
}

async function put(home: string, content: string): Promise<string> {
  const file = join(grid.dir, 'file')
  await writeFile(file, content)
  const run = await hayloft(['put', file, '--json'], { home })
  if (run.status !== 0) throw new Error(`put ended with ${run.status}: ${run.stderr}`)
  const [stored] = JSON.parse(run.stdout) as StoredJson[]
  return stored?.capability ?? ''
}

async function get(home: string, capability: string): Promise<string> {
  return (await hayloft(['cat', capability], { home })).stdout
}

/** Longer than what fits a capability, so that nodes have to keep it. */
const LETTER = 'Dear friends, '.repeat(1_000)

/** Starts the storage node of a home, and waits until it says that it runs. */
async function startNode(name: string): Promise<{ ended: Promise<Run> }> {
  const { child, ended } = startHayloft(['node', 'start'], { home: homeOf(name) })
  children.push(child)
  await until(async () => (await hayloft(['node', 'status'], { home: homeOf(name) })).status === 0)
  return { ended }
}

function codeIn({ stderr }: Run): string {
  const line = stderr.split('\n').find((each) => each.includes('"error"')) ?? '{}'
  return (JSON.parse(line) as { error?: { code: string } }).error?.code ?? stderr
}

describe('a friend', () => {
  let invite: string
  let carolsNode: Promise<Run>

  it('joins through any member while the founder is away, keeps files for others and has its own kept', async () => {
    invite = await inviteFrom(grid.home, { addresses: [addressOf('node-02')] })
    const carol = await joined('carol', invite, ['--offer', '1GB', '--zone', 'attic'])
    expect(carol).toMatchObject({ joined: true, name: 'carol', members: 5 })
    const letter = await put(homeOf('carol'), LETTER)
    carolsNode = (await startNode('carol')).ended
    expect(await get(grid.home, letter)).toBe(LETTER)
    // Her node counts for everybody at once.
    await until(async () => {
      await hayloft(['check', letter], { home: grid.home })
      return (await membershipOf(grid.home)).nodes.some(({ zone }) => zone === 'attic')
    })
    const answer = await put(grid.home, `${LETTER} yours`)
    expect(await get(homeOf('carol'), answer)).toBe(`${LETTER} yours`)
    const status = await hayloft(['node', 'status', '--json'], { home: homeOf('carol') })
    expect(status.stdout).toContain('"running": true')
  })

  it('may run it again, and nobody else may use the invite, of which all members are told', async () => {
    expect(await joined('carol', invite)).toMatchObject({ joined: false, name: 'carol' })
    const run = await joinGrid('mallory', invite)
    expect(run.status).toBe(77)
    expect(codeIn(run)).toBe('invite-used')
    expect(run.stderr).toContain('carol')
    expect(run.stderr).not.toContain(invite.slice(20, 60))
    await put(grid.home, 'anything that is a little longer than a literal capability can hold')
    const { refusedAdmissions } = await membershipOf(grid.home)
    expect(refusedAdmissions.map(({ admission }) => admission.name)).toEqual(['mallory'])
  })

  it('is cut off at once everywhere when removed, and told so', async () => {
    await removeMember(grid.home, 'carol')
    await put(grid.home, `${LETTER} without carol`)
    const { status, stderr } = await carolsNode
    expect(status).toBe(77)
    expect(stderr).toContain('member-removed carol')
    expect(stderr).toContain('does not belong to the grid practice any more')
    const file = join(grid.dir, 'file')
    const refused = await hayloft(['put', file, '--json'], { home: homeOf('carol') })
    expect(codeIn(refused)).toBe('not-a-member')
    expect((await membershipOf(grid.home)).nodes).toHaveLength(3)
  })
})

describe('a member', () => {
  it('that let someone in has it on its disk when it says so', async () => {
    const invite = await inviteFrom(grid.home, { addresses: [addressOf('node-03')] })
    await joined('dave', invite)
    grid.signalNode('node-03', 'SIGKILL')
    const home = grid.nodes.find(({ name }) => name === 'node-03')?.home ?? ''
    const names = (await membershipOf(home)).members.map(({ name }) => name)
    expect(names).toContain('dave')
    await grid.startNodes()
    expect(await get(grid.home, await put(homeOf('dave'), LETTER))).toBe(LETTER)
  })

  it('that was away hears of everything that happened when it is back', async () => {
    const old = join(grid.dir, 'old-membership')
    await copyFile(join(homeOf('dave'), 'membership'), old)
    await grid.stopNodes(['node-01'])
    const invite = await inviteFrom(grid.home, { addresses: [addressOf('node-02')] })
    await joined('erin', invite)
    await grid.startNodes()
    const nodeHome = grid.nodes.find(({ name }) => name === 'node-01')?.home ?? ''
    await until(async () =>
      (await membershipOf(nodeHome)).members.some(({ name }) => name === 'erin'),
    )
    expect(await get(homeOf('erin'), await put(homeOf('erin'), LETTER))).toBe(LETTER)
    // A command with an old list finds out by the way.
    await copyFile(old, join(homeOf('dave'), 'membership'))
    await put(homeOf('dave'), `${LETTER} again`)
    expect((await membershipOf(homeOf('dave'))).members.map(({ name }) => name)).toContain('erin')
  })

  it('adds a device of its own with a word, and sees its files there', async () => {
    const file = join(grid.dir, 'file')
    await writeFile(file, LETTER)
    await hayloft(['put', file, 'home:letter'], { home: homeOf('dave') })
    const word = await deviceWordFrom(homeOf('dave'), [addressOf('node-01')])
    const laptop = await joined('laptop', word)
    expect(laptop).toMatchObject({ joined: true, name: 'dave' })
    expect((await hayloft(['cat', 'home:letter'], { home: homeOf('laptop') })).stdout).toBe(LETTER)
    const dave = (await membershipOf(homeOf('laptop'))).members.find(({ name }) => name === 'dave')
    expect(dave?.devices).toHaveLength(2)
  })

  it('is one of two who race for an invite through two others: the earlier one', async () => {
    const at = [addressOf('node-01'), addressOf('node-02')]
    const word = await inviteFrom(grid.home, { addresses: [] })
    const runs = await Promise.all(
      ['frank', 'grace'].map(
        async (name, turn) => await joinGrid(name, word, ['--at', at[turn] ?? '']),
      ),
    )
    const welcome = runs.filter(({ status }) => status === 0)
    expect(welcome.length).toBeGreaterThanOrEqual(1)
    // Whoever was let in by the one and not by the grid is told with the next command at the latest.
    await until(async () => {
      const file = join(grid.dir, 'file')
      const tries = ['frank', 'grace'].map(
        async (name) => await hayloft(['put', file], { home: homeOf(name) }),
      )
      return (await Promise.all(tries)).filter(({ status }) => status === 0).length === 1
    })
    const { members, refusedAdmissions } = await membershipOf(
      grid.nodes.find(({ name }) => name === 'node-03')?.home ?? '',
    )
    expect(members.filter(({ name }) => ['frank', 'grace'].includes(name))).toHaveLength(1)
    expect(refusedAdmissions).toHaveLength(2)
  })
})

describe('a stranger at the door of a node', () => {
  it('is greeted, finds nothing else, and cannot keep others from coming and going', async () => {
    const { gridId } = await membershipOf(grid.home)
    const port = Number(/tcp\/(\d+)/.exec(addressOf('node-01'))?.[1])
    const gate = new Gate({ isMember: () => true, joinProtocol: undefined, clock: systemClock })
    const strangers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const identity = systemRandomness.bytes(32)
        return await startHost({
          identity,
          gridId,
          listen: [],
          gate,
          clock: systemClock,
          servesDht: false,
        })
      }),
    )
    const sockets = Array.from({ length: 60 }, () =>
      connect(port, '127.0.0.1').on('error', () => undefined),
    )
    try {
      const [first] = strangers
      if (first === undefined) throw new Error('there is none')
      const dial = async (host: typeof first) =>
        await dialAddresses(host, [addressOf('node-01')], new AbortController().signal)
      const connection = await dial(first)
      const greeting = await askDoor(connection, { kind: 'hello' }, { gridId, clock: systemClock })
      expect(greeting.kind).toBe('greeting')
      const closed = [
        storeProtocol(gridId),
        membersProtocol(gridId),
        '/ipfs/id/1.0.0',
        '/ipfs/ping/1.0.0',
      ]
      for (const protocol of closed) {
        await expect(connection.newStream([protocol])).rejects.toMatchObject({
          name: 'UnsupportedProtocolError',
        })
      }
      // Requests that are never ended hold every place that there is for this address.
      await Promise.allSettled(
        strangers.map(async (host) => {
          const stream = await (await dial(host)).newStream([joinProtocol(gridId)])
          stream.send(Uint8Array.of(0, 0, 1, 0, 0xa1))
        }),
      )
      expect(await get(grid.home, await put(grid.home, LETTER))).toBe(LETTER)
      const addresses = [addressOf('node-01'), addressOf('node-02')]
      await joined('ivan', await inviteFrom(grid.home, { addresses }))
      expect(await get(grid.home, await put(homeOf('ivan'), LETTER))).toBe(LETTER)
    } finally {
      for (const socket of sockets) socket.destroy()
      for (const host of strangers) {
        for (const each of host.getConnections()) each.abort(new Error('over'))
        await host.stop()
      }
    }
  })
})

describe('two grids on one machine', () => {
  it('keep to themselves', async () => {
    const other = await TestGrid.start(1)
    try {
      const theirs = await other.put(join(grid.dir, 'file'))
      const ours = await put(grid.home, LETTER)
      expect((await hayloft(['cat', theirs.capability], { home: other.home })).status).toBe(0)
      expect((await hayloft(['cat', ours], { home: other.home })).status).not.toBe(0)
      // An invite of one, at the door of the other.
      const word = await inviteFrom(grid.home, { addresses: [] })
      const address = other.nodes[0]?.addresses[0] ?? ''
      const run = await joinGrid('heidi', word, ['--at', address])
      expect(codeIn(run)).toBe('grid-unreachable')
      expect(
        (await joinGrid('heidi', word, ['--at', address, '--at', addressOf('node-01')])).status,
      ).toBe(0)
    } finally {
      await other.end()
    }
    expect(await readFile(join(grid.home, 'grid.json'), 'utf8')).toContain('practice')
    await rm(homeOf('heidi'), { recursive: true })
  })
})
