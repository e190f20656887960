import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountSecret } from '../../src/capabilities/account.ts'
import { founderGridKey, gridIdOf, signingAsGrid } from '../../src/capabilities/grid-keys.ts'
import {
  formatDeviceWord,
  formatInvite,
  inviteKeyOf,
  newInviteSecret,
  parseJoinWord,
} from '../../src/capabilities/join-words.ts'
import { parseRecoveryKey } from '../../src/capabilities/recovery.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import { signGrant } from '../../src/protocol/membership/grant.ts'
import frozen from '../vectors/capabilities-join.json' with { type: 'json' }
import frozenSlots from '../vectors/capabilities-slots.json' with { type: 'json' }
import { bytes32, hex, refusalOf } from './support.ts'

const [plainInvite, fullInvite, deviceWord] = frozen.words.map(({ text }) => text) as [
  string,
  string,
  string,
]
const refused = (text: string): ReturnType<typeof refusalOf> => refusalOf(text, parseJoinWord)

const names = fc.constantFrom('Barn', 'Ada & friends', '曾祖母', '😀')
const addresses = fc.array(
  fc.constantFrom('/ip4/192.0.2.7/tcp/1', '/dns4/a.example/tcp/2', '/ip6/::1/tcp/3'),
  { maxLength: 4 },
)

describe('a word that lets a device in', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(
        bytes32.map(accountSecret),
        fc.record({ gridName: names, addresses }),
        fc.record({
          name: fc.option(names, { nil: undefined }),
          role: fc.constantFrom('member' as const, 'admin' as const),
          quotaBytes: fc.option(fc.nat(), { nil: undefined }),
          expiresS: fc.nat(Number.MAX_SAFE_INTEGER),
          uses: fc.integer({ min: 1, max: 1000 }),
        }),
        fc.boolean(),
        (account, door, granted, withKey) => {
          const gridKey = founderGridKey(account, new Uint8Array(32))
          const signing = signingAsGrid(gridKey)
          const secret = newInviteSecret({ bytes: (length) => new Uint8Array(length).fill(7) })
          const invite = {
            ...door,
            gridId: gridIdOf(gridKey),
            secret,
            grant: signGrant({ ...granted, inviteKey: inviteKeyOf(secret) }, signing),
            gridKey: withKey ? gridKey : undefined,
          }
          expect(parseJoinWord(formatInvite(invite))).toEqual({ kind: 'invite', ...invite })
          const word = { ...door, gridId: invite.gridId, account }
          expect(parseJoinWord(formatDeviceWord(word))).toEqual({ kind: 'device', ...word })
        },
      ),
      { numRuns: 25 },
    )
  })

  it.each(frozen.words)('is frozen: $gridName, $kind', (vector) => {
    const word = parseJoinWord(vector.text)
    const { gridId, gridName, addresses: known } = word
    expect([toHex(gridId), gridName, known]).toEqual([
      vector.gridId,
      vector.gridName,
      vector.addresses,
    ])
    if (word.kind === 'device') {
      expect(toHex(word.account)).toBe(vector.account)
      expect(formatDeviceWord(word)).toBe(vector.text)
    } else {
      expect(toHex(word.secret)).toBe(vector.secret)
      expect(toHex(word.grant.bytes)).toBe(vector.grant)
      expect(word.gridKey && toHex(word.gridKey)).toBe(vector.gridKey)
      expect(formatInvite(word)).toBe(vector.text)
    }
  })

  it('is read over several lines and in upper case, as mail and QR codes have it', () => {
    const folded = `\n${fullInvite.replaceAll(/.{70}/g, '$&\r\n  ')}\n`
    expect(parseJoinWord(folded)).toEqual(parseJoinWord(fullInvite))
    expect(parseJoinWord(fullInvite.toUpperCase())).toEqual(parseJoinWord(fullInvite))
  })

  it('is refused with any character changed, and the place is told where it is known', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(plainInvite, deviceWord),
        fc.nat(),
        fc.constantFrom(...Array.from('qpzry9x8gf2tvdw0s3jn54khce6mua7l')),
        (text, place, character) => {
          const at = 'hayinvite1'.length + (place % (text.length - 10))
          const wrong = text.slice(0, at) + character + text.slice(at + 1)
          if (wrong === text) return
          expect(refused(wrong)).toMatchObject({ reason: 'mistyped', position: at + 1 })
        },
      ),
      { numRuns: 60 },
    )
  })

  it('is refused cut off at any length, and with something attached', () => {
    for (const text of [plainInvite, fullInvite, deviceWord]) {
      for (let length = 0; length < text.length; length++) refused(text.slice(0, length))
      refused(`${text}q`)
      expect(refused(text.slice(0, 100)).message).toContain('Part of it is missing')
    }
  })

  it.each(Object.entries(frozen.damaged))('is refused if it was made wrongly: %s', (name, text) => {
    const { reason, message } = refused(text)
    expect(reason).toBe('contents')
    expect(message).toContain('Ask for a new one')
    expect(message).not.toContain(text.slice(12, 30))
  })

  it('is told from other words, which are told from it', () => {
    expect(refusalOf(plainInvite)).toMatchObject({ reason: 'invite' })
    expect(refusalOf(plainInvite).message).toContain('"hayloft grid join" takes it')
    expect(refusalOf(deviceWord).message).toContain('Show it to nobody')
    expect(refusalOf(plainInvite, parseRecoveryKey).message).toContain('not a recovery key')
    const recoveryKey = frozenSlots.accounts[0]?.recoveryKey ?? ''
    expect(refused(recoveryKey).message).toContain("an account's recovery key, not an invite")
    expect(refused(frozenSlots.slots[0]?.folder.write ?? '').message).toContain(
      'it knows hayinvite and haydevice',
    )
    expect(refused('https://example.org/x').message).toContain('a web address, not an invite')
    expect(refused('').message).toContain('The invite is empty')
    expect(refused(hex('00').toString()).message).toContain('This is not an invite')
  })
})
