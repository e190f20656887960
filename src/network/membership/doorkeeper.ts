import type { NodeKey } from '../../protocol/node-key.ts'
import { accountKey } from '../../protocol/membership/account-key.ts'
import { statementHash } from '../../protocol/membership/decode.ts'
import { MalformedStatementError } from '../../protocol/membership/fields.ts'
import { decodeGrant, isRedemption, type InviteGrant } from '../../protocol/membership/grant.ts'
import { signAdmission } from '../../protocol/membership/sign.ts'
import type { Member } from '../../protocol/membership/state.ts'
import { nodeKeyOfIdentity } from '../identity.ts'
import type { Learner } from './exchange.ts'
import {
  JOIN_VERSION,
  MAX_EVIDENCE,
  MAX_USED_BY,
  type JoinRefusal,
  type JoinRefusalReason,
  type JoinReply,
  type JoinRequest,
} from './messages.ts'

type Join = Extract<JoinRequest, { kind: 'join' }>

/** Lets strangers in who have an invite, or who turn out to be members already. */
export class Doorkeeper {
  readonly #learner: Learner
  readonly #identity: Uint8Array
  readonly #self: NodeKey

  /** @param identity - 32-byte Ed25519 seed of this device, which signs whom it lets in */
  constructor(learner: Learner, identity: Uint8Array) {
    this.#learner = learner
    this.#identity = identity
    this.#self = nodeKeyOfIdentity(identity)
  }

  /** `caller` is the authenticated peer. Never rejects on account of a request. */
  async answer(caller: NodeKey, request: JoinRequest): Promise<JoinReply> {
    switch (request.kind) {
      case 'hello':
        return { kind: 'greeting', version: JOIN_VERSION }
      case 'join':
        return await this.#join(caller, request)
      case 'introduce':
        return await this.#introduce(caller, request.statements)
    }
  }

  async #join(caller: NodeKey, request: Join): Promise<JoinReply> {
    const { membership } = this.#learner
    const grant = this.#grantIn(request)
    if (grant === undefined) return refusal('malformed')
    if (!membership.isMember(this.#self)) return refusal('leaving')
    const account = accountKey(request.account)
    const known = membership.member(account)
    if (known?.status === 'in') return await this.#welcome(caller, request.statements)
    if (known !== undefined) {
      const evidence = known.statement === undefined ? [] : [known.statement.bytes]
      return { ...refusal('removed'), evidence }
    }
    const reason = membership.refusalOf(grant)
    // Only a use too many is worth telling the others about: somebody else may have got hold of the invite.
    if (reason === 'expired' || reason === 'revoked') return refusal(reason)
    const { bytes } = signAdmission(
      {
        grant,
        account,
        name: request.name,
        redemption: request.redemption,
        admittedS: this.#admissionTimeS(grant),
      },
      { gridId: membership.gridId, seed: this.#identity },
    )
    return await this.#welcome(caller, [bytes, ...request.statements], grant)
  }

  async #introduce(caller: NodeKey, statements: readonly Uint8Array[]): Promise<JoinReply> {
    if (this.#learner.membership.isMember(caller)) return { kind: 'welcome' }
    return await this.#welcome(caller, statements)
  }

  /** Takes what should make the caller a member, and answers once it is on disk. */
  async #welcome(
    caller: NodeKey,
    statements: readonly Uint8Array[],
    grant?: InviteGrant,
  ): Promise<JoinReply> {
    let result
    try {
      result = await this.#learner.learn(statements)
    } catch {
      return refusal('failed')
    }
    if (this.#learner.membership.isMember(caller)) return { kind: 'welcome' }
    if (result.refused.some(({ reason }) => reason === 'malformed')) return refusal('malformed')
    if (result.refused.some(({ reason }) => reason === 'full')) return refusal('full')
    return this.#whyNot(caller, statements, grant)
  }

  #whyNot(caller: NodeKey, statements: readonly Uint8Array[], grant?: InviteGrant): JoinRefusal {
    const { membership } = this.#learner
    // Whoever was removed is shown it, also if the invite by which they once came was taken back since.
    const evidence = this.#removalOf(caller)
    if (evidence.length > 0) return { ...refusal('removed'), evidence }
    const used = grant ?? this.#refusedGrantIn(statements)
    const reason = used === undefined ? undefined : membership.refusalOf(used)
    if (used !== undefined && reason === 'used-up') {
      const users = this.#usersOf(used)
      return {
        ...refusal(reason),
        usedBy: users.map(({ name }) => name),
        evidence: users.flatMap(({ admission }) => admission?.bytes ?? []),
      }
    }
    return refusal(reason ?? 'unknown')
  }

  /** Later than all uses that are known, so that nobody loses a place that was acknowledged to whoever comes in the same second. */
  #admissionTimeS({ inviteKey }: InviteGrant): number {
    const { membership } = this.#learner
    const last = membership
      .all()
      .filter((statement) => statement.kind === 'admission')
      .filter(({ grant }) => grant.inviteKey === inviteKey)
      .reduce((latest, { admittedS }) => Math.max(latest, admittedS), 0)
    return Math.max(membership.admissionTimeS(this.#self), last + 1)
  }

  /** What is known of a device that was somebody's once: that it was taken from the account, or the account removed. */
  #removalOf(device: NodeKey): Uint8Array[] {
    const { membership } = this.#learner
    const claims = membership
      .all()
      .filter((statement) => statement.kind === 'device')
      .filter((statement) => statement.device === device)
    return claims
      .flatMap(({ account, bytes }) => [membership.member(account)?.statement?.bytes, bytes])
      .filter((bytes) => bytes !== undefined)
      .slice(0, MAX_EVIDENCE)
  }

  /** Two used one invite at two nodes, and the later one shows how it came in. */
  #refusedGrantIn(statements: readonly Uint8Array[]): InviteGrant | undefined {
    const shown = new Set(statements.map(statementHash))
    const refused = this.#learner.membership.refusedAdmissions
    return refused.find(({ admission }) => shown.has(admission.hash))?.admission.grant
  }

  #usersOf({ inviteKey }: InviteGrant): Member[] {
    return this.#learner.membership.members
      .filter(({ admission }) => admission?.grant.inviteKey === inviteKey)
      .slice(0, MAX_USED_BY)
  }

  #grantIn({ grant: bytes, account, name, redemption }: Join): InviteGrant | undefined {
    const { gridId } = this.#learner.membership
    try {
      const grant = decodeGrant(bytes, gridId)
      const redeemed = { gridId, account: accountKey(account), name, inviteKey: grant.inviteKey }
      return isRedemption(redemption, redeemed) ? grant : undefined
    } catch (error) {
      if (error instanceof MalformedStatementError) return undefined
      throw error
    }
  }
}

function refusal(reason: JoinRefusalReason): JoinRefusal {
  return { kind: 'refusal', reason, usedBy: [], evidence: [] }
}
