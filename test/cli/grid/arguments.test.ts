import { describe, expect, it } from 'vitest'
import { lifetimeArgument } from '../../../src/cli/grid/lifetime.ts'
import { inviteCalled, memberCalled } from '../../../src/cli/grid/who.ts'
import { Membership } from '../../../src/protocol/membership/membership.ts'
import { accountNamed, GRID_ID, invite, named } from '../../support/test-members.ts'

describe('how long an invite lasts', () => {
  it('is given as people say it', () => {
    const nowMs = 1_000_000_500
    const lasting = (text: string): number => lifetimeArgument(text, nowMs) - 1_000_000
    expect(['30min', '12h', '7d', ' 2 Weeks ', '1y'].map(lasting)).toEqual([
      1800, 43_200, 604_800, 1_209_600, 31_536_000,
    ])
    expect(lifetimeArgument('never', nowMs)).toBe(0)
  })

  it.each(['', '7', 'd', '0d', '-1d', '11y', '9999w', '7d7d', '1e3d'])('is not %j', (text) => {
    expect(() => lifetimeArgument(text, 0)).toThrow(
      'up to 10 years, such as 30min, 12h, 7d, 2w or 1y, or never',
    )
  })
})

describe('someone', () => {
  const membership = new Membership({ gridId: GRID_ID, clock: { nowMs: () => 0 } })
  membership.add([named('Ben'), named('Cleo'), named('the other Ben', { name: 'Ben' })])
  const { members } = membership
  const digits = accountNamed('the other Ben').slice(0, 8)

  it('is found by name, or by the first digits of the account', () => {
    expect(memberCalled('Cleo', members).account).toBe(accountNamed('Cleo'))
    expect(memberCalled(digits, members).account).toBe(accountNamed('the other Ben'))
    expect(memberCalled(digits.toUpperCase(), members).name).toBe('Ben')
  })

  it('is asked for again where two have that name, or nobody', () => {
    expect(() => memberCalled('Ben', members)).toThrow(`Ben (${digits}`)
    expect(() => memberCalled('cleo', members)).toThrow('Do you mean Cleo?')
    expect(() => memberCalled('Dan', members)).toThrow('"hayloft grid members" lists them')
    expect(() => memberCalled(digits.slice(0, 7), members)).toThrow('no member of that name')
    expect(() => memberCalled('', members)).toThrow('no member of that name')
  })
})

describe('an invite', () => {
  const known = (key: string, name: string) => ({ inviteKey: invite(key).inviteKey, name })
  const open = [known('new', 'Ben'), known('other', 'anyone')]
  const used = [known('old', 'Ben'), known('cleo', 'Cleo')]

  it('is found by whom it is for, whom it has let in, or its first digits', () => {
    expect(inviteCalled('Ben', { open, used })).toBe(invite('new').inviteKey)
    expect(inviteCalled(' Cleo ', { open, used })).toBe(invite('cleo').inviteKey)
    expect(inviteCalled(invite('old').inviteKey.slice(0, 12), { open, used })).toBe(
      invite('old').inviteKey,
    )
  })

  it('that nobody knows is asked for in plain words', () => {
    expect(() => inviteCalled('Grid 2!', { open, used })).toThrow(
      /There is no invite of that name\. Give the invite itself, as @FILE/,
    )
    expect(() => inviteCalled('', { open, used })).toThrow('no invite of that name')
  })
})
