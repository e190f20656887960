import { publicKeyOf } from '../../src/crypto/signatures.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import { accountKey } from '../../src/protocol/membership/account-key.ts'
import { inviteKeyHex, signGrant, signRedemption } from '../../src/protocol/membership/grant.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import {
  signAdmission,
  signAnnouncement,
  signConsent,
  signDevice,
  signMember,
} from '../../src/protocol/membership/sign.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { Measuring } from './ranking-costs.ts'

export interface MembershipCost {
  readonly wanted: number
  /** Those that the bounds of the format let in. */
  readonly members: number
  readonly statements: number
  readonly bytes: number
  /** To read all of it, verifying every signature: what a newcomer and every start does. */
  readonly readMs: number
  /** To take one announcement more. */
  readonly changeMs: number
  readonly announcementBytes: number
}

/** Statements of a grid whose founder invited everyone, each with one storage node that has two addresses. */
export class GridStatements {
  readonly gridId: Uint8Array
  readonly #gridSeed: Uint8Array
  readonly #randomness: SeededRandomness
  readonly #devices: Uint8Array[] = []

  constructor(randomness: SeededRandomness) {
    this.#randomness = randomness
    this.#gridSeed = randomness.bytes(32)
    this.gridId = publicKeyOf(this.#gridSeed)
  }

  /** One member more: how it came in, its device, and where that is. */
  member(at: number): Uint8Array[] {
    const { gridId } = this
    const [accountSeed, deviceSeed] = [this.#randomness.bytes(32), this.#randomness.bytes(32)]
    this.#devices.push(deviceSeed)
    const account = accountKey(publicKeyOf(accountSeed))
    const name = `member-${at}`
    const came = at === 0 ? this.#founder(account, name) : this.#admission(account, name, at)
    const device = signDevice(
      {
        account,
        device: nodeKey(toHex(publicKeyOf(deviceSeed))),
        seq: 1,
        name: 'attic',
        use: 'storage',
        status: 'in',
        consent: signConsent(account, { gridId, seed: deviceSeed }),
      },
      { gridId, seed: accountSeed },
    )
    return [came, device.bytes, this.announcement(at, 1)]
  }

  announcement(at: number, seq: number): Uint8Array {
    const tail = `/p2p/12D3KooW${'a'.repeat(44)}`
    const addresses = [
      `/ip4/192.168.1.${at % 250}/tcp/4001${tail}`,
      `/ip4/203.0.113.${at % 250}/tcp/4001${tail}`,
    ]
    const said = { seq, addresses, zone: `house-${at}`, capacityBytes: 1e12, timeS: START_S + seq }
    const seed = this.#devices[at] as Uint8Array
    return signAnnouncement(said, { gridId: this.gridId, seed }).bytes
  }

  #founder(account: ReturnType<typeof accountKey>, name: string): Uint8Array {
    const said = { account, seq: 1, name, role: 'admin', expiresS: 0, status: 'in' } as const
    const signing = { gridId: this.gridId, seed: this.#gridSeed }
    return signMember(
      { ...said, quotaBytes: undefined, keyNonce: this.#randomness.bytes(32) },
      signing,
    ).bytes
  }

  #admission(account: ReturnType<typeof accountKey>, name: string, at: number): Uint8Array {
    const { gridId } = this
    const inviteSeed = this.#randomness.bytes(32)
    const grant = signGrant(
      {
        inviteKey: inviteKeyHex(publicKeyOf(inviteSeed)),
        name: undefined,
        role: 'member',
        quotaBytes: 2e11,
        expiresS: START_S + 7 * 86_400,
        uses: 1,
      },
      { gridId, seed: this.#gridSeed },
    )
    const redemption = signRedemption(inviteSeed, { gridId, account, name })
    const said = { grant, account, name, redemption, admittedS: START_S + at }
    return signAdmission(said, { gridId, seed: this.#devices[0] as Uint8Array }).bytes
  }
}

const START_S = 1_800_000_000

/** What the real `Membership` takes for a grid of this size. Times are of this machine's processor. */
export function measureMembership(
  wanted: number,
  { cpuMs, randomness }: Measuring,
): MembershipCost {
  const grid = new GridStatements(randomness)
  const statements = Array.from({ length: wanted }, (_, at) => grid.member(at)).flat()
  const membership = new Membership({ gridId: grid.gridId, clock: { nowMs: () => START_S * 1000 } })
  const start = cpuMs()
  membership.add(statements)
  const readMs = cpuMs() - start
  const changed = Array.from({ length: CHANGES }, (_, at) =>
    grid.announcement(at % Math.min(wanted, 5), 2 + at),
  )
  const changeTimes = changed.map((statement) => {
    const before = cpuMs()
    membership.add([statement])
    return cpuMs() - before
  })
  const kept = membership.all()
  return {
    wanted,
    members: membership.members.filter(({ devices }) => devices.length > 0).length,
    statements: kept.length,
    bytes: kept.reduce((sum, { bytes }) => sum + bytes.length, 0),
    readMs,
    changeMs: Math.min(...changeTimes),
    announcementBytes: grid.announcement(0, 99).length,
  }
}

/** The best of them counts: the first ones compile the code. */
const CHANGES = 10
