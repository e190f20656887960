import { describe, expect, it } from 'vitest'
import { deferred } from '../../../src/foundation/concurrency.ts'
import { JoinRefusedError } from '../../../src/network/membership/errors.ts'
import { UnreachableError } from '../../../src/protocol/network.ts'
import {
  accountNamed,
  admitted,
  announced,
  device,
  deviceNamed,
  named,
} from '../../support/test-members.ts'
import { eventually } from '../test-grid.ts'
import { ask, FOUNDERS, join, joinRequest, MemberGrid, newKeeper } from './member-grid.ts'

/** Waits until it holds; the test's own timeout is the limit. */
async function until(holds: () => boolean): Promise<void> {
  await eventually(() => (holds() ? Promise.resolve() : Promise.reject(new Error('not yet'))))
}

describe('members', () => {
  it('come to know the same when they connect, and tell the others', async () => {
    await using grid = new MemberGrid()
    const alice = await grid.open('alice', {
      keeper: newKeeper([...FOUNDERS, named('carol'), device('carol', 'carol')]),
    })
    const many = Array.from({ length: 150 }, (_, at) => named(`friend ${at}`))
    const bob = await grid.open('bob', {
      keeper: newKeeper([...FOUNDERS, ...many, announced('bob')]),
      bootstrap: alice.addresses(),
    })
    await until(() => alice.membership.members.length === 153)
    await until(() => bob.membership.isMember(deviceNamed('carol')))
    expect(alice.membership.digests()).toEqual(bob.membership.digests())

    const carol = await grid.open('carol', {
      keeper: newKeeper([...FOUNDERS, named('carol'), device('carol', 'carol')]),
      bootstrap: alice.addresses(),
    })
    await until(() => carol.membership.members.length === 153)
    // Bob is not told by alice alone, but by whoever is connected to him.
    await alice.keeper.learn([named('dave')])
    await until(() => [bob, carol].every((each) => each.membership.members.length === 154))
  })

  it('say that news is kept only when it is on disk', async () => {
    await using grid = new MemberGrid()
    const disk = deferred()
    const saved: number[] = []
    const bobsKeeper = newKeeper(FOUNDERS, async () => {
      await disk.promise
      saved.push(1)
    })
    const bob = await grid.open('bob', { keeper: bobsKeeper })
    const joining = join('carol', joinRequest('carol', 'spring'), [bob])
    await until(() => bob.membership.isMember(deviceNamed('carol')))
    let answered = false
    void joining.then(() => (answered = true))
    // The admission is known here, and cannot have been acknowledged.
    await expect(Promise.race([joining, Promise.resolve('waiting')])).resolves.toBe('waiting')
    expect(answered).toBe(false)
    disk.resolve()
    await joining
    expect(saved.length).toBeGreaterThan(0)
  })

  it('are cut off everywhere at once when they are removed, and learn why', async () => {
    await using grid = new MemberGrid()
    const everyone = [...FOUNDERS, named('carol'), device('carol', 'carol')]
    const alice = await grid.open('alice', { keeper: newKeeper(everyone) })
    const bootstrap = alice.addresses()
    const bob = await grid.open('bob', { keeper: newKeeper(everyone), bootstrap })
    const carol = await grid.open('carol', {
      keeper: newKeeper(everyone),
      bootstrap: [...bootstrap, ...bob.addresses()],
    })
    await eventually(() => carol.call<'drop'>(bob.self, ask))
    await eventually(() => bob.call<'drop'>(alice.self, ask))
    expect(bob.connected()).toContain(carol.self)
    await alice.keeper.learn([named('carol', { seq: 2, status: 'removed' })])
    await until(() => !bob.connected().includes(carol.self))
    expect(bob.membership.isMember(carol.self)).toBe(false)
    await expect(bob.call<'drop'>(carol.self, ask)).rejects.toBeInstanceOf(UnreachableError)
    await expect(carol.call<'drop'>(bob.self, ask)).rejects.toBeInstanceOf(UnreachableError)
    // She is shown what the grid's key signed, and need not take anybody's word for it.
    await until(() => carol.membership.member(accountNamed('carol'))?.status === 'removed')
  })

  it('lose one device and no other when that is stolen', async () => {
    await using grid = new MemberGrid()
    const everyone = [...FOUNDERS, device('bob', 'laptop', { use: 'client' })]
    const alice = await grid.open('alice', { keeper: newKeeper(everyone) })
    const bob = await grid.open('bob', {
      keeper: newKeeper(everyone),
      bootstrap: alice.addresses(),
    })
    const laptop = await grid.open('laptop', {
      keeper: newKeeper(everyone),
      listen: [],
      bootstrap: alice.addresses(),
    })
    await laptop.call<'drop'>(alice.self, ask)
    await eventually(() => bob.call<'drop'>(alice.self, ask))
    await bob.keeper.learn([device('bob', 'laptop', { use: 'client', seq: 2, status: 'removed' })])
    await until(() => !alice.connected().includes(laptop.self))
    await expect(laptop.call<'drop'>(alice.self, ask)).rejects.toBeInstanceOf(UnreachableError)
    expect((await bob.call<'drop'>(alice.self, ask)).dropped).toBe(1)
    // It finds out when it next calls somebody.
    await eventually(async () => {
      await laptop.call<'drop'>(alice.self, ask).catch(() => undefined)
      if (laptop.membership.isMember(laptop.self)) throw new Error('not yet')
    })
  })

  it('are not brought back by an old statement', async () => {
    await using grid = new MemberGrid()
    const removal = named('carol', { seq: 2, status: 'removed' })
    const now = [...FOUNDERS, removal]
    const alice = await grid.open('alice', { keeper: newKeeper(now) })
    const carol = await grid.open('carol', {
      keeper: newKeeper([...FOUNDERS, named('carol'), device('carol', 'carol')]),
      bootstrap: alice.addresses(),
    })
    await expect(carol.call<'drop'>(alice.self, ask)).rejects.toBeInstanceOf(UnreachableError)
    expect(alice.membership.isMember(carol.self)).toBe(false)
    expect(carol.refusal()?.reason).toBe('removed')
    // A member that was away repeats what was so then.
    const bob = await grid.open('bob', {
      keeper: newKeeper([...FOUNDERS, named('carol'), device('carol', 'carol')]),
      bootstrap: alice.addresses(),
    })
    await until(() => !bob.membership.isMember(carol.self))
    expect(alice.membership.isMember(carol.self)).toBe(false)
  })
})

describe('someone with an invite', () => {
  it('is let in by any member, though the founder is away, and is everybody’s equal at once', async () => {
    await using grid = new MemberGrid()
    const bob = await grid.open('bob')
    const dave = await grid.open('dave', {
      keeper: newKeeper([...FOUNDERS, named('dave'), device('dave', 'dave')]),
      bootstrap: bob.addresses(),
    })
    await eventually(() => dave.call<'drop'>(bob.self, ask))
    const { keeper } = await join('carol', joinRequest('carol', 'spring'), [bob])
    expect(keeper.membership.digests()).toEqual(bob.membership.digests())
    const carol = await grid.open('carol', { keeper, bootstrap: bob.addresses() })
    expect((await carol.call<'drop'>(bob.self, ask)).dropped).toBe(1)
    expect((await eventually(() => carol.call<'drop'>(dave.self, ask))).dropped).toBe(1)
    expect((await dave.call<'drop'>(carol.self, ask)).dropped).toBe(1)
  })

  it('may use it again after the answer was lost, and nobody else may use it', async () => {
    await using grid = new MemberGrid()
    const bob = await grid.open('bob')
    await join('carol', joinRequest('carol', 'spring'), [bob])
    const again = await join('carol', joinRequest('carol', 'spring'), [bob])
    expect(again.keeper.membership.isMember(deviceNamed('carol'))).toBe(true)
    expect(bob.membership.members).toHaveLength(3)
    const alice = await grid.open('alice', { bootstrap: bob.addresses() })
    await until(() => alice.membership.members.length === 3)
    const doors = [bob, alice]
    const error = await join('mallory', joinRequest('mallory', 'spring'), doors).catch(
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(JoinRefusedError)
    expect(error).toMatchObject({ code: 'invite-used', message: expect.stringContaining('carol') })
    expect(bob.membership.isMember(deviceNamed('mallory'))).toBe(false)
    // For the grid's members to be told.
    expect(bob.membership.refusedAdmissions.map(({ admission }) => admission.name)).toEqual([
      'mallory',
    ])
  })

  it('is refused with a reason: expired, taken back, removed, or not signed by this grid', async () => {
    await using grid = new MemberGrid()
    const bob = await grid.open('bob', {
      keeper: newKeeper([...FOUNDERS, named('erin', { status: 'removed' })]),
    })
    const codeOf = async (request: ReturnType<typeof joinRequest>, who = 'carol') =>
      await join(who, request, [bob]).then(
        () => 'let in',
        (error: { code: string }) => error.code,
      )
    expect(await codeOf(joinRequest('carol', 'old', { expiresS: 1_600_000_000 }))).toBe(
      'invite-expired',
    )
    expect(await codeOf(joinRequest('erin', 'spring'), 'erin')).toBe('not-a-member')
    const good = joinRequest('carol', 'spring')
    expect(await codeOf({ ...good, name: 'someone else' })).toBe('invite-malformed')
    expect(await codeOf({ ...good, grant: good.grant.map((byte) => byte ^ 1) })).toBe(
      'invite-malformed',
    )
    expect(bob.membership.refusedAdmissions).toEqual([])
    expect(await codeOf(good)).toBe('let in')
  })

  it('who races another one through another member loses if later, and both members agree', async () => {
    await using grid = new MemberGrid()
    const alice = await grid.open('alice')
    const bob = await grid.open('bob')
    // Neither of the two members has heard of the other's guest yet.
    await join('carol', joinRequest('carol', 'spring'), [alice])
    const late = admitted('dave', 'spring', { by: 'bob', atS: 1_000 })
    const dave = await grid.open('dave', {
      keeper: newKeeper([...FOUNDERS, late, device('dave', 'dave')]),
    })
    await bob.keeper.learn([late, device('dave', 'dave')])
    expect(bob.membership.isMember(dave.self)).toBe(true)
    const meeting = await grid.open('bob', {
      keeper: bob.keeper,
      listen: [],
      bootstrap: alice.addresses(),
    })
    await meeting.call<'drop'>(alice.self, ask)
    await until(() => !bob.membership.isMember(dave.self))
    await until(() => alice.membership.refusedAdmissions.length === 1)
    expect(bob.membership.isMember(deviceNamed('carol'))).toBe(true)
    expect(alice.membership.digests()).toEqual(bob.membership.digests())
  })

  it('may be let in by a member whom the next one does not know yet', async () => {
    await using grid = new MemberGrid()
    const bob = await grid.open('bob')
    const { keeper } = await join('carol', joinRequest('carol', 'spring'), [bob])
    // Alice was away, and bob has gone.
    await bob[Symbol.asyncDispose]()
    const alice = await grid.open('alice')
    const carol = await grid.open('carol', { keeper, bootstrap: alice.addresses() })
    expect((await carol.call<'drop'>(alice.self, ask)).dropped).toBe(1)
    expect(alice.membership.isMember(carol.self)).toBe(true)
    expect((await alice.call<'drop'>(carol.self, ask)).dropped).toBe(1)
  })
})
