import { verify, type Verify } from '../../crypto/signatures.ts'
import { compareBytes, concatBytes, fromHex, toHex } from '../../foundation/bytes.ts'
import type { Clock } from '../../foundation/clock.ts'
import { assert } from '../../foundation/error.ts'
import type { NodeKey } from '../node-key.ts'
import type { AccountKey } from './account-key.ts'
import { decodeStatement, statementHash } from './decode.ts'
import { evaluate, hasExpired, type Evaluation } from './evaluate.ts'
import { MalformedStatementError } from './fields.ts'
import type { InviteGrant } from './grant.ts'
import {
  MAX_STATEMENTS,
  MAX_STATEMENTS_BYTES,
  RESERVED_BYTES,
  RESERVED_STATEMENTS,
} from './limits.ts'
import { deriveView, type MembershipView, type PlacementNode } from './derive.ts'
import type { InviteRefusal, Member, RefusedAdmission } from './state.ts'
import type {
  AnnouncementStatement,
  DeviceStatement,
  SignedStatement,
  Statement,
  StatementHash,
} from './statements.ts'

/** Bytes of one digest in {@link Membership.digests}. */
export const STATEMENT_DIGEST_BYTES = 8

/** What became of statements that were offered. */
export interface AddResult {
  /** Those that were not held before and are now, each after what it rests on. */
  readonly added: readonly Statement[]
  readonly refused: readonly RefusedStatement[]
}

export interface RefusedStatement {
  readonly bytes: Uint8Array
  /**
   * `malformed`: no statement of this grid, or not signed as it must be. `outdated`: another one counts instead of it.
   * `unfounded`: it is from someone who does not belong to the grid. `full`: there is no room for it.
   */
  readonly reason: 'malformed' | 'outdated' | 'unfounded' | 'full'
}

export interface MembershipChange {
  readonly added: readonly Statement[]
  /** Who may connect changed, or who someone is. */
  readonly membersChanged: boolean
  /** The storage nodes changed, as placement sees them. */
  readonly nodesChanged: boolean
}

/**
 * Who belongs to a grid: all statements that a member keeps, and what they say together. It does no I/O. Two of them that
 * were told the same statements, in any order, are equal; two that tell each other what the other lacks become so.
 */
export class Membership {
  readonly gridId: Uint8Array
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #listeners = new Set<(change: MembershipChange) => void>()
  #held: ReadonlyMap<StatementHash, Statement> = new Map()
  #evaluation: Evaluation = evaluate([])
  #view: MembershipView

  constructor({ gridId, clock }: { gridId: Uint8Array; clock: Pick<Clock, 'nowMs'> }) {
    assert(gridId.length === 32, 'a grid id has 32 bytes')
    this.gridId = gridId
    this.#clock = clock
    this.#view = deriveView(this.#evaluation, clock.nowMs())
  }

  /** Takes statements that were held before and come from where nobody else could write: without verifying them again. */
  restore(encoded: readonly Uint8Array[]): void {
    this.#take(encoded, () => true)
  }

  /** Takes statements from anywhere: those that are new and count are kept, and listeners are told of them. */
  add(encoded: readonly Uint8Array[]): AddResult {
    return this.#take(encoded, verify)
  }

  #take(encoded: readonly Uint8Array[], check: Verify): AddResult {
    const offered = new Map<StatementHash, Statement>()
    const refused: RefusedStatement[] = []
    for (const bytes of encoded) {
      const hash = statementHash(bytes)
      if (this.#held.has(hash) || offered.has(hash)) continue
      const statement = this.#decode(bytes, check)
      if (statement === undefined) refused.push({ bytes, reason: 'malformed' })
      else offered.set(hash, statement)
    }
    if (offered.size === 0) return { added: [], refused }
    const taken = this.#withinBounds([...offered.values()])
    const added = taken.evaluation.kept.filter(({ hash }) => !this.#held.has(hash))
    const kept = new Set(added)
    for (const statement of offered.values()) {
      if (kept.has(statement)) continue
      const reason = taken.full.has(statement) ? 'full' : reasonOf(statement, taken.evaluation)
      refused.push({ bytes: statement.bytes, reason })
    }
    if (added.length > 0) this.#keep(taken.evaluation, added)
    return { added, refused }
  }

  /** Everything that is held, each statement after what it rests on. */
  all(): readonly Statement[] {
    return this.#evaluation.kept
  }

  /** The first 8 bytes of the hash of each statement that is held, in ascending order, one after another. */
  digests(): Uint8Array {
    return concatBytes([...this.#held.keys()].map(digestOf).toSorted(compareBytes))
  }

  /** What whoever holds the statements of these {@link digests} lacks, each after what it rests on. */
  missing(digests: Uint8Array): Statement[] {
    const theirs = new Set<string>()
    for (let at = 0; at + STATEMENT_DIGEST_BYTES <= digests.length; at += STATEMENT_DIGEST_BYTES) {
      theirs.add(toHex(digests.subarray(at, at + STATEMENT_DIGEST_BYTES)))
    }
    return this.all().filter(({ hash }) => !theirs.has(hash.slice(0, 2 * STATEMENT_DIGEST_BYTES)))
  }

  /** All who are or were in, by name, then account. */
  get members(): readonly Member[] {
    return this.#current().members
  }

  /** Uses of invites that let nobody in. Whom the grid's key has named is in without one. */
  get refusedAdmissions(): readonly RefusedAdmission[] {
    const { refused, accounts } = this.#evaluation
    return refused.filter(({ admission }) => !accounts.has(admission.account))
  }

  /** Storage nodes for placement. It is the same array until they change. */
  get nodes(): readonly PlacementNode[] {
    return this.#current().nodes
  }

  /** Whether it is a device of someone who belongs to the grid now. */
  isMember(key: NodeKey): boolean {
    return this.#current().byDevice.has(key)
  }

  /** The devices of all who belong to the grid now. */
  keys(): readonly NodeKey[] {
    return [...this.#current().byDevice.keys()]
  }

  /** Whose device it is; undefined if it does not belong to the grid now. */
  memberOf(key: NodeKey): Member | undefined {
    return this.#current().byDevice.get(key)
  }

  /** What people call a device; undefined if it does not belong to the grid now. */
  deviceName(key: NodeKey): string | undefined {
    return this.memberOf(key)?.devices.find((device) => device.key === key)?.name
  }

  accountOf(key: NodeKey): AccountKey | undefined {
    return this.memberOf(key)?.account
  }

  /** Someone who is or was in. */
  member(account: AccountKey): Member | undefined {
    return this.#current().byAccount.get(account)
  }

  /** What an account said of a device last, one that it has removed among them. */
  deviceStatementOf(
    account: AccountKey,
    key: NodeKey,
  ): SignedStatement<DeviceStatement> | undefined {
    const { devices = [] } = this.#evaluation.accounts.get(account) ?? {}
    return devices.find(({ device }) => device === key)
  }

  /** Where a device said that it can be reached. */
  addressesOf(key: NodeKey): readonly string[] {
    return this.announcementOf(key)?.addresses ?? []
  }

  /** What a device said of itself last: where it can be reached, and what it offers. */
  announcementOf(key: NodeKey): SignedStatement<AnnouncementStatement> | undefined {
    return this.#evaluation.announcements.get(key)
  }

  /** Why an invite would let nobody else in now; undefined if it would. */
  refusalOf(grant: InviteGrant): InviteRefusal | undefined {
    if (this.#evaluation.revoked.has(grant.inviteKey)) return 'revoked'
    if (hasExpired(grant, Math.floor(this.#clock.nowMs() / 1000))) return 'expired'
    const uses = this.#evaluation.uses.get(grant.inviteKey) ?? 0
    return uses >= grant.uses ? 'used-up' : undefined
  }

  /**
   * The time to write into an admission that this device sponsors: now, or a second after its own account came in if that
   * is later by a clock that was ahead.
   */
  admissionTimeS(sponsor: NodeKey): number {
    const own = this.memberOf(sponsor)
    const sinceS = own?.statement === undefined ? (own?.admission?.admittedS ?? 0) : 0
    return Math.max(Math.floor(this.#clock.nowMs() / 1000), sinceS + 1)
  }

  /** @returns ends the listening */
  onChange(listener: (change: MembershipChange) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  #decode(bytes: Uint8Array, check: Verify): Statement | undefined {
    try {
      return decodeStatement(bytes, this.gridId, check)
    } catch (error) {
      if (error instanceof MalformedStatementError) return undefined
      throw error
    }
  }

  /** Weighs what is held together with as many of the others as there is room for. */
  #withinBounds(offered: readonly Statement[]): { evaluation: Evaluation; full: Set<Statement> } {
    const evaluationWith = (count: number): Evaluation =>
      evaluate([...this.#held.values(), ...ordered.slice(0, count)])
    // An admin's word first: it may make room, and has room of its own.
    const ordered = offered.toSorted((a, b) => Number(isGridSigned(b)) - Number(isGridSigned(a)))
    let evaluation = evaluationWith(ordered.length)
    if (fits(evaluation)) return { evaluation, full: new Set() }
    let fitting = 0
    let tooMany = ordered.length
    while (tooMany - fitting > 1) {
      const middle = Math.floor((fitting + tooMany) / 2)
      if (fits(evaluationWith(middle))) fitting = middle
      else tooMany = middle
    }
    evaluation = evaluationWith(fitting)
    return { evaluation, full: new Set(ordered.slice(fitting)) }
  }

  #keep(evaluation: Evaluation, added: readonly Statement[]): void {
    const before = this.#current()
    this.#evaluation = evaluation
    this.#held = new Map(evaluation.kept.map((statement) => [statement.hash, statement]))
    this.#view = deriveView(evaluation, this.#clock.nowMs(), before)
    const change = {
      added,
      membersChanged: added.some(({ kind }) => kind !== 'announcement'),
      nodesChanged: this.#view.nodes !== before.nodes,
    }
    for (const listener of this.#listeners) listener(change)
  }

  /** Time passes, and memberships end by it. */
  #current(): MembershipView {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#view.fromMs || nowMs >= this.#view.untilMs) {
      this.#view = deriveView(this.#evaluation, nowMs, this.#view)
    }
    return this.#view
  }
}

function digestOf(hash: StatementHash): Uint8Array {
  const digest = fromHex(hash.slice(0, 2 * STATEMENT_DIGEST_BYTES))
  assert(digest !== undefined, 'a hash is hexadecimal')
  return digest
}

function isGridSigned({ kind }: Statement): boolean {
  return kind === 'member' || kind === 'revocation'
}

/** What members say leaves room for what the grid's key says. */
function fits({ kept }: Evaluation): boolean {
  let bytes = 0
  let membersBytes = 0
  let membersCount = 0
  for (const statement of kept) {
    bytes += statement.bytes.length
    if (isGridSigned(statement)) continue
    membersBytes += statement.bytes.length
    membersCount++
  }
  return (
    kept.length <= MAX_STATEMENTS &&
    bytes <= MAX_STATEMENTS_BYTES &&
    membersCount <= MAX_STATEMENTS - RESERVED_STATEMENTS &&
    membersBytes <= MAX_STATEMENTS_BYTES - RESERVED_BYTES
  )
}

function reasonOf(statement: Statement, evaluation: Evaluation): RefusedStatement['reason'] {
  switch (statement.kind) {
    case 'member':
    case 'revocation':
      return 'outdated'
    case 'admission': {
      const known = evaluation.accounts.has(statement.account)
      return known ? 'outdated' : 'unfounded'
    }
    case 'device':
      return evaluation.accounts.has(statement.account) ? 'outdated' : 'unfounded'
    case 'announcement':
      return evaluation.owners.has(statement.device) ? 'outdated' : 'unfounded'
  }
}
