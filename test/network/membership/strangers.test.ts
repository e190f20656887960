import type { Stream } from '@libp2p/interface'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { concatBytes, viewOf } from '../../../src/foundation/bytes.ts'
import {
  dialAddresses,
  joinProtocol,
  membersProtocol,
  type Host,
} from '../../../src/network/host.ts'
import {
  MAX_JOIN_MESSAGE_BYTES,
  MAX_STRANGER_BYTES,
  MAX_STRANGERS_PER_ADDRESS,
  STRANGER_BURST,
  STRANGER_LIFETIME_MS,
} from '../../../src/network/membership/limits.ts'
import { Visitors, visitorAddress } from '../../../src/network/membership/visitors.ts'
import { askDoor } from '../../../src/network/membership/introduction.ts'
import { encodeJoinRequest, encodeMemberRequest } from '../../../src/network/membership/messages.ts'
import { systemClock } from '../../../src/foundation/system.ts'
import type { Clock } from '../../../src/foundation/clock.ts'
import { device, deviceNamed, GRID_ID } from '../../support/test-members.ts'
import { eventually } from '../test-grid.ts'
import {
  ask,
  FOUNDERS,
  join,
  joinRequest,
  MemberGrid,
  newKeeper,
  type MemberHost,
} from './member-grid.ts'

/** A clock on which time passes for long timers when the test says so. */
class HandClock implements Clock {
  #aheadMs = 0
  readonly #long = new Map<() => void, number>()

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.#aheadMs
  }

  after(delayMs: number, action: () => void): () => void {
    if (delayMs < STRANGER_LIFETIME_MS) return systemClock.after(delayMs, action)
    this.#long.set(action, this.monotonicMs() + delayMs)
    return () => this.#long.delete(action)
  }

  pass(ms: number): void {
    this.#aheadMs += ms
    for (const [action, atMs] of this.#long) {
      if (atMs > this.monotonicMs()) continue
      this.#long.delete(action)
      action()
    }
  }
}

async function dial(host: Host, to: MemberHost) {
  return await dialAddresses(host, to.addresses(), new AbortController().signal)
}

function closed(what: { status: string; addEventListener: Stream['addEventListener'] }) {
  return new Promise<void>((resolve) => {
    if (what.status !== 'open') resolve()
    what.addEventListener('close', () => resolve())
  })
}

function framed(message: Uint8Array, claimedBytes = message.length): Uint8Array {
  const prefix = new Uint8Array(4)
  viewOf(prefix).setUint32(0, claimedBytes)
  return concatBytes([prefix, message])
}

describe('a stranger', () => {
  const grid = new MemberGrid()
  let alice: MemberHost
  let bob: MemberHost
  beforeAll(async () => {
    alice = await grid.open('alice')
    bob = await grid.open('bob', { bootstrap: alice.addresses() })
    await eventually(() => bob.call<'drop'>(alice.self, ask))
  })
  afterAll(async () => await grid[Symbol.asyncDispose]())

  it('is greeted, and finds every other protocol closed, in both directions', async () => {
    const stranger = await grid.stranger('mallory')
    let asked = 0
    let identified = false
    stranger.addEventListener('peer:identify', () => (identified = true))
    const others = stranger.getProtocols().filter((each) => each !== joinProtocol(GRID_ID))
    expect(others).toEqual(
      expect.arrayContaining([
        expect.stringContaining('/kad/'),
        expect.stringContaining('/ping/'),
        '/ipfs/id/1.0.0',
      ]),
    )
    for (const protocol of others) {
      await stranger.unhandle(protocol)
      // Whatever the host it dials would ask of it in return.
      await stranger.handle(protocol, () => void asked++)
    }
    const connection = await dial(stranger, alice)
    const greeting = await askDoor(
      connection,
      { kind: 'hello' },
      { gridId: GRID_ID, clock: systemClock },
    )
    expect(greeting).toEqual({ kind: 'greeting', version: 1 })
    const tried = [
      ...others,
      membersProtocol(GRID_ID),
      membersProtocol(GRID_ID).replace('members', 'store'),
      '/libp2p/circuit/relay/0.2.0/hop',
      '/libp2p/circuit/relay/0.2.0/stop',
      '/ipfs/id/push/1.0.0',
      '/libp2p/dcutr',
    ]
    for (const protocol of tried) {
      const again = await dial(stranger, alice)
      await expect(again.newStream([protocol]), protocol).rejects.toMatchObject({
        name: 'UnsupportedProtocolError',
      })
    }
    expect(identified).toBe(false)
    expect(asked).toBe(0)
    // Nothing of it is remembered, and nobody calls it back.
    expect([...alice.knownAddresses().keys()]).toEqual([bob.self])
    await expect(alice.call<'drop'>(deviceNamed('mallory'), ask)).rejects.toThrow(
      'does not belong to this grid',
    )
  })

  it('that sends rubbish is cut off, and members are served all the while', async () => {
    const stranger = await grid.stranger('mallory')
    const rubbish = fc.oneof(
      fc.uint8Array({ minLength: 5, maxLength: 500 }).map((bytes) => framed(bytes)),
      fc.constant(framed(new Uint8Array(8), MAX_JOIN_MESSAGE_BYTES + 1)),
      fc.constant(framed(encodeMemberRequest({ kind: 'want', digests: new Uint8Array(800) }))),
      fc.constant(
        framed(encodeJoinRequest({ ...joinRequest('x', 'y'), grant: new Uint8Array(2) })).fill(
          7,
          9,
          20,
        ),
      ),
    )
    await fc.assert(
      fc.asyncProperty(rubbish, async (bytes) => {
        const connection = await eventually(() => dial(stranger, alice))
        const stream = await connection.newStream([joinProtocol(GRID_ID)])
        stream.send(bytes)
        await closed(connection)
        expect((await bob.call<'drop'>(alice.self, ask)).dropped).toBe(1)
      }),
      { numRuns: 12 },
    )
  })
})

describe('a flood of strangers', () => {
  it('is bounded in connections, bytes and streams, and neither members nor friends with an invite notice', async () => {
    await using grid = new MemberGrid()
    const alice = await grid.open('alice')
    const bob = await grid.open('bob', { bootstrap: alice.addresses() })
    await eventually(() => bob.call<'drop'>(alice.self, ask))
    const flood = await Promise.all(
      Array.from({ length: 2 * MAX_STRANGERS_PER_ADDRESS }, (_, at) =>
        grid.stranger(`flood ${at}`),
      ),
    )
    const connections = await Promise.allSettled(flood.map(async (host) => await dial(host, alice)))
    const inside = alice.connected().filter((node) => node !== bob.self)
    expect(inside.length).toBeLessThanOrEqual(MAX_STRANGERS_PER_ADDRESS)
    expect((await bob.call<'drop'>(alice.self, ask)).dropped).toBe(1)
    const open = connections
      .flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      .filter(({ status }) => status === 'open')
    // One sends on and on, and one opens streams that it leaves as they are.
    const [loud, greedy] = open
    if (loud === undefined || greedy === undefined) throw new Error('nobody came in')
    const stream = await loud.newStream([joinProtocol(GRID_ID)])
    stream.send(new Uint8Array(MAX_STRANGER_BYTES + 70_000).fill(1))
    await closed(loud)
    void Promise.allSettled(
      Array.from({ length: 30 }, async () => await greedy.newStream([joinProtocol(GRID_ID)])),
    )
    await closed(greedy)
    expect((await bob.call<'drop'>(alice.self, ask)).dropped).toBe(1)
    for (const each of open) each.abort(new Error('enough'))
    const { keeper } = await eventually(() =>
      join('carol', joinRequest('carol', 'spring'), [alice]),
    )
    expect(keeper.membership.members).toHaveLength(3)
  })

  it('does not stay: who asks for nothing, or never ends its question, is sent away', async () => {
    await using grid = new MemberGrid()
    const clock = new HandClock()
    const alice = await grid.open('alice', { clock })
    const idle = await dial(await grid.stranger('idle'), alice)
    const slow = await dial(await grid.stranger('slow'), alice)
    const stream = await slow.newStream([joinProtocol(GRID_ID)])
    stream.send(framed(new Uint8Array(10), 1_000))
    clock.pass(STRANGER_LIFETIME_MS)
    await Promise.all([closed(idle), closed(slow)])
    expect(alice.connected()).toEqual([])
  })

  it('lets nobody in who has no invite, and one invite lets in as many as it says, however many names one makes up', async () => {
    await using grid = new MemberGrid()
    const alice = await grid.open('alice')
    const outcomes = []
    for (const name of [
      'sybil 1',
      'sybil 2',
      'sybil 3',
      'sybil 4',
      'sybil 5',
      'sybil 6',
      'sybil 7',
    ]) {
      const request = joinRequest(name, 'spring', { uses: 2 })
      outcomes.push(
        await join(name, request, [alice]).then(
          () => 'in',
          (error: { code: string }) => error.code,
        ),
      )
    }
    expect(outcomes).toEqual(['in', 'in', ...Array.from({ length: 5 }, () => 'invite-used')])
    expect(alice.membership.members).toHaveLength(4)
    expect(alice.membership.refusedAdmissions).toHaveLength(4)
    const introduced = { kind: 'introduce', statements: [device('sybil 7', 'sybil 7')] } as const
    await expect(join('sybil 7', introduced, [alice])).rejects.toMatchObject({
      code: 'not-a-member',
    })
  })
})

describe('a member that does not keep the rules', () => {
  it('is cut off for rubbish in an exchange', async () => {
    await using grid = new MemberGrid()
    const alice = await grid.open('alice')
    const bad = await grid.stranger('bob')
    for (const bytes of [
      framed(new Uint8Array(50).fill(255)),
      framed(encodeMemberRequest({ kind: 'give', statements: [new Uint8Array(300)] })),
    ]) {
      const sending = async (): Promise<void> => {
        const connection = await dial(bad, alice)
        const stream = await connection.newStream([membersProtocol(GRID_ID)])
        stream.send(bytes)
        await closed(stream)
      }
      // The second time it may be cut off before it has said anything.
      await sending().catch(() => undefined)
    }
    expect(alice.membership.digests()).toEqual(newKeeper(FOUNDERS).membership.digests())
  })

  it('does not hold up news for others by not reading', async () => {
    await using grid = new MemberGrid()
    const alice = await grid.open('alice', {
      keeper: newKeeper([...FOUNDERS, device('bob', 'second')]),
      // On which nobody has waited for long enough, ever.
      clock: new HandClock(),
    })
    const bad = await grid.stranger('second')
    await bad.handle(membersProtocol(GRID_ID), (stream) => {
      stream.pause()
    })
    await dial(bad, alice)
    const bob = await grid.open('bob', { bootstrap: alice.addresses() })
    await eventually(() => bob.call<'drop'>(alice.self, ask))
    // The first piece of news waits for it, and the later ones must not wait for the first.
    for (const name of ['another', 'a third', 'a fourth']) {
      await alice.keeper.learn([device('alice', name)])
      await eventually(() =>
        bob.membership.all().length === alice.membership.all().length
          ? Promise.resolve()
          : Promise.reject(new Error('not yet')),
      )
    }
  })
})

describe('visitors', () => {
  it('from one address are taken so often, and members’ addresses always', () => {
    let nowMs = 0
    const visitors = new Visitors({
      nowMs: () => nowMs,
      monotonicMs: () => nowMs,
      after: () => () => undefined,
    })
    const taken = Array.from({ length: STRANGER_BURST + 20 }, () =>
      visitors.strangerCame('ip4 192.0.2.1'),
    )
    expect(taken.filter(Boolean)).toHaveLength(STRANGER_BURST)
    expect(visitors.enter('ip4 192.0.2.1')).toBeUndefined()
    expect(visitors.enter('ip4 192.0.2.2')).toBeDefined()
    nowMs += 3_600_000
    expect(visitors.strangerCame('ip4 192.0.2.1')).toBe(true)
    for (let at = 0; at < 2_000; at++) visitors.enter(`ip4 198.51.100.${at}`)
    expect(visitors.enter('ip4 203.0.113.9')).toBeUndefined()
    visitors.memberCame('ip4 203.0.113.9')
    expect(visitors.enter('ip4 203.0.113.9')).toBeDefined()
  })

  it('give back their place when they leave', () => {
    const visitors = new Visitors(systemClock)
    for (let at = 0; at < 1_000; at++) {
      const leave = visitors.enter('ip4 192.0.2.1')
      expect(leave).toBeDefined()
      leave?.()
      leave?.()
    }
  })

  it('are told apart by address, and in IPv6 by household', () => {
    expect(visitorAddress('/ip4/192.0.2.7/tcp/4001')).toBe(visitorAddress('/ip4/192.0.2.7/tcp/9'))
    expect(visitorAddress('/ip4/192.0.2.7/tcp/1')).not.toBe(visitorAddress('/ip4/192.0.2.8/tcp/1'))
    const home = visitorAddress('/ip6/2001:db8:1:2::7/tcp/1')
    expect(visitorAddress('/ip6/2001:DB8:1:2:ffff:1:2:3/tcp/1')).toBe(home)
    expect(visitorAddress('/ip6/2001:db8:1:3::7/tcp/1')).not.toBe(home)
    expect(visitorAddress('/ip6/2001:db8::1:2/tcp/1')).not.toBe(home)
  })
})
