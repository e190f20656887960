import { describe, expect, it } from 'vitest'
import { accountSecret } from '../../../src/capabilities/account.ts'
import {
  founderGridKey,
  gridIdOf,
  memberAccountOf,
  signingAsAccount,
  signingAsGrid,
} from '../../../src/capabilities/grid-keys.ts'
import { fromHex, toHex } from '../../../src/foundation/bytes.ts'
import { decodeStatement } from '../../../src/protocol/membership/decode.ts'
import { decodeGrant, signGrant, signRedemption } from '../../../src/protocol/membership/grant.ts'
import {
  signAdmission,
  signAnnouncement,
  signConsent,
  signDevice,
  signMember,
  signRevocation,
} from '../../../src/protocol/membership/sign.ts'
import type { Signing, Statement } from '../../../src/protocol/membership/statements.ts'
import frozen from '../../vectors/membership.json' with { type: 'json' }

const bytes = (digits: string): Uint8Array => {
  const decoded = fromHex(digits)
  if (decoded === undefined) throw new Error('the vector is not hexadecimal')
  return decoded
}
const gridId = bytes(frozen.gridId)
const asGrid: Signing = { gridId, seed: bytes(frozen.gridSeed) }
const asDevice: Signing = { gridId, seed: bytes(frozen.deviceSeed) }
const asAccount: Signing = { gridId, seed: bytes(frozen.accountSeed) }

/** Fields as JSON has them: bytes in hexadecimal, and none that is not there. */
function plain(said: object): unknown {
  return JSON.parse(
    JSON.stringify(said, (key, value: unknown) => {
      if (['bytes', 'hash', 'kind'].includes(key)) return undefined
      if (value instanceof Uint8Array) return toHex(value)
      return key === 'grant' ? toHex((value as { bytes: Uint8Array }).bytes) : value
    }),
  )
}

function signedAnew(statement: Statement): Uint8Array {
  switch (statement.kind) {
    case 'member':
      return signMember(statement, asGrid).bytes
    case 'revocation':
      return signRevocation(statement.inviteKey, asGrid).bytes
    case 'admission': {
      const { account, name } = statement
      const redemption = signRedemption(bytes(frozen.inviteSeed), { gridId, account, name })
      return signAdmission({ ...statement, redemption }, asDevice).bytes
    }
    case 'device': {
      const consent =
        statement.status === 'in' ? signConsent(statement.account, asDevice) : undefined
      return signDevice({ ...statement, consent }, asAccount).bytes
    }
    case 'announcement':
      return signAnnouncement(statement, asDevice).bytes
  }
}

describe('frozen statements', () => {
  it('have the keys that follow from the founder’s account', () => {
    const secret = accountSecret(bytes(frozen.founderSecret))
    const gridKey = founderGridKey(secret, bytes(frozen.keyNonce))
    expect(toHex(gridKey)).toBe(frozen.gridKey)
    expect(toHex(gridIdOf(gridKey))).toBe(frozen.gridId)
    expect(signingAsGrid(gridKey)).toEqual(asGrid)
    expect(signingAsAccount(secret, gridId)).toEqual(asAccount)
    expect(memberAccountOf(secret)).toBe(frozen.statements[0]?.said.account)
  })

  it.each(frozen.statements)('are read and written: $kind $said.status', (vector) => {
    const statement = decodeStatement(bytes(vector.bytes), gridId)
    expect(statement).toMatchObject({ kind: vector.kind, hash: vector.hash })
    expect(plain(statement)).toEqual(vector.said)
    expect(toHex(signedAnew(statement))).toBe(vector.bytes)
  })

  it.each(frozen.grants)('have grants that are read and written', (vector) => {
    const grant = decodeGrant(bytes(vector.bytes), gridId)
    expect(plain(grant)).toEqual(vector.said)
    expect(toHex(signGrant(grant, asGrid).bytes)).toBe(vector.bytes)
  })

  it('are in strict form: a field that is not known, or not in order, is refused', () => {
    for (const vector of frozen.statements) {
      const body = bytes(vector.bytes)
      // A map of one field more, whose key and value are 0 and 0 again.
      const extended = Uint8Array.of(
        body[0]! + 1,
        ...body.subarray(1, -64),
        0,
        0,
        ...body.subarray(-64),
      )
      expect(() => decodeStatement(extended, gridId)).toThrow()
      const unknown = Uint8Array.of(
        body[0]! + 1,
        ...body.subarray(1, -64),
        20,
        0,
        ...body.subarray(-64),
      )
      expect(() => decodeStatement(unknown, gridId)).toThrow('a field that is not known')
    }
  })
})
