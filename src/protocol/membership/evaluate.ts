import type { NodeKey } from '../node-key.ts'
import type { AccountKey } from './account-key.ts'
import {
  INVITE_GRACE_S,
  MAX_DEVICE_STATEMENTS,
  MAX_DEVICES,
  MAX_REFUSED_ADMISSIONS,
} from './limits.ts'
import { namedAccounts, type Named } from './named.ts'
import type { InviteRefusal, RefusedAdmission } from './state.ts'
import type {
  AdmissionStatement,
  AnnouncementStatement,
  DeviceStatement,
  InviteKeyHex,
  MemberStatement,
  RevocationStatement,
  SignedStatement,
  Statement,
} from './statements.ts'
import { newestBy } from './versions.ts'

/** What a set of statements comes to, whatever the order in which they came and whatever the time is. */
export interface Evaluation {
  /** Those worth keeping, each after what it rests on: whoever is told of them in this order takes them all. */
  readonly kept: readonly Statement[]
  readonly accounts: ReadonlyMap<AccountKey, EvaluatedAccount>
  /** Uses of invites that count, in their order. */
  readonly admissions: readonly SignedStatement<AdmissionStatement>[]
  /** Uses of invites that do not count. */
  readonly refused: readonly RefusedAdmission[]
  readonly revoked: ReadonlyMap<InviteKeyHex, SignedStatement<RevocationStatement>>
  /** How often an invite was used so far. */
  readonly uses: ReadonlyMap<InviteKeyHex, number>
  /** The account of each device that belongs to one now. */
  readonly owners: ReadonlyMap<NodeKey, AccountKey>
  readonly announcements: ReadonlyMap<NodeKey, SignedStatement<AnnouncementStatement>>
}

/** Someone whom the grid's key named, or whom an invite let in. */
export interface EvaluatedAccount {
  readonly statement: SignedStatement<MemberStatement> | undefined
  readonly overruled: SignedStatement<MemberStatement> | undefined
  readonly admission: SignedStatement<AdmissionStatement> | undefined
  /** Of the devices that it ever had, what it said last. */
  readonly devices: readonly SignedStatement<DeviceStatement>[]
}

/**
 * Weighs statements:
 * 1. of what the grid's key said of an account, the latest term counts, in it a removal before all else, then the last word;
 * 2. invites let accounts in, in the order of the times that their sponsors wrote down, while they last. A sponsor is a
 *    device of someone who was in before, so that nobody who was refused lets anyone in, at whatever time;
 * 3. what an account that is or was in said last of each device counts;
 * 4. a device belongs to the lowest of the accounts that it agreed to belong to, and what it said last of itself counts.
 */
export function evaluate(statements: Iterable<Statement>): Evaluation {
  const sorted = sortByKind(statements)
  const named = namedAccounts(sorted.members)
  const revoked = new Map(sorted.revocations.map((each) => [each.inviteKey, each]))
  const devices = devicesByAccount(sorted.devices)
  const admitted = admit(sorted.admissions, { named, revoked, devices })
  const accounts = new Map<AccountKey, EvaluatedAccount>()
  const firstAdmissions = new Map(
    admitted.admissions.toReversed().map((admission) => [admission.account, admission]),
  )
  for (const account of [...named.keys(), ...firstAdmissions.keys()]) {
    accounts.set(account, {
      statement: named.get(account)?.newest,
      overruled: named.get(account)?.overruled,
      admission: firstAdmissions.get(account),
      devices: devices.get(account) ?? [],
    })
  }
  const owners = ownersOf(accounts)
  const announcements = newestBy(
    sorted.announcements.filter(({ device }) => owners.has(device)),
    ({ device }) => device,
  )
  const counted = { accounts, ...admitted, revoked, owners, announcements }
  return { ...counted, kept: keptOf(counted) }
}

/** The order in which admissions are looked at. */
function compareAdmissions(
  a: SignedStatement<AdmissionStatement>,
  b: SignedStatement<AdmissionStatement>,
): number {
  return a.admittedS - b.admittedS || (a.hash < b.hash ? -1 : 1)
}

interface ByKind {
  readonly members: SignedStatement<MemberStatement>[]
  readonly revocations: SignedStatement<RevocationStatement>[]
  readonly admissions: SignedStatement<AdmissionStatement>[]
  readonly devices: SignedStatement<DeviceStatement>[]
  readonly announcements: SignedStatement<AnnouncementStatement>[]
}

function sortByKind(statements: Iterable<Statement>): ByKind {
  const sorted: ByKind = {
    members: [],
    revocations: [],
    admissions: [],
    devices: [],
    announcements: [],
  }
  for (const statement of statements) {
    switch (statement.kind) {
      case 'member':
        sorted.members.push(statement)
        break
      case 'revocation':
        sorted.revocations.push(statement)
        break
      case 'admission':
        sorted.admissions.push(statement)
        break
      case 'device':
        sorted.devices.push(statement)
        break
      case 'announcement':
        sorted.announcements.push(statement)
    }
  }
  return sorted
}

/** Of each account no more than it may have, removals first: a device that was removed must not come back for want of room. */
function devicesByAccount(
  statements: ByKind['devices'],
): Map<AccountKey, SignedStatement<DeviceStatement>[]> {
  const newest = newestBy(statements, ({ account, device }) => `${account} ${device}`)
  const byAccount = new Map<AccountKey, SignedStatement<DeviceStatement>[]>()
  for (const statement of newest.values()) {
    const devices = byAccount.get(statement.account) ?? []
    devices.push(statement)
    byAccount.set(statement.account, devices)
  }
  for (const [account, devices] of byAccount) {
    devices.sort(
      (a, b) =>
        Number(b.status === 'removed') - Number(a.status === 'removed') ||
        a.seq - b.seq ||
        (a.hash < b.hash ? -1 : 1),
    )
    byAccount.set(account, devices.slice(0, MAX_DEVICE_STATEMENTS))
  }
  return byAccount
}

interface Admitted {
  readonly admissions: SignedStatement<AdmissionStatement>[]
  readonly refused: RefusedAdmission[]
  readonly uses: Map<InviteKeyHex, number>
}

function admit(
  admissions: ByKind['admissions'],
  context: {
    readonly named: ReadonlyMap<AccountKey, Named>
    readonly revoked: ReadonlyMap<InviteKeyHex, unknown>
    readonly devices: ReadonlyMap<AccountKey, readonly SignedStatement<DeviceStatement>[]>
  },
): Admitted {
  const sponsors = new Map<NodeKey, AccountKey[]>()
  for (const [account, devices] of context.devices) {
    for (const { device } of devices) {
      sponsors.set(device, [...(sponsors.get(device) ?? []), account])
    }
  }
  const standing = new Set<AccountKey>(context.named.keys())
  const admitted: Admitted = { admissions: [], refused: [], uses: new Map() }
  const refusals = new Map<InviteKeyHex, number>()
  const seen = new Set<string>()
  for (const admission of admissions.toSorted(compareAdmissions)) {
    const { inviteKey } = admission.grant
    const isFounded = sponsors.get(admission.sponsor)?.some((account) => standing.has(account))
    // Whoever asked two members because the first one's answer was lost has used the invite once.
    const use = `${inviteKey} ${admission.account}`
    if (isFounded !== true || seen.has(use)) continue
    const usesBefore = admitted.uses.get(inviteKey) ?? 0
    const reason = refusalOf(admission, { isRevoked: context.revoked.has(inviteKey), usesBefore })
    if (reason === undefined) {
      admitted.uses.set(inviteKey, usesBefore + 1)
      standing.add(admission.account)
      admitted.admissions.push(admission)
    } else {
      const refusalsBefore = refusals.get(inviteKey) ?? 0
      if (refusalsBefore >= MAX_REFUSED_ADMISSIONS) continue
      refusals.set(inviteKey, refusalsBefore + 1)
      admitted.refused.push({ admission, reason })
    }
    seen.add(use)
  }
  return admitted
}

function refusalOf(
  { grant, admittedS }: AdmissionStatement,
  { isRevoked, usesBefore }: { readonly isRevoked: boolean; readonly usesBefore: number },
): InviteRefusal | undefined {
  if (isRevoked) return 'revoked'
  if (hasExpired(grant, admittedS)) return 'expired'
  return usesBefore >= grant.uses ? 'used-up' : undefined
}

/** Whether an invite lets nobody in any more; see {@link INVITE_GRACE_S}. */
export function hasExpired({ expiresS }: { readonly expiresS: number }, nowS: number): boolean {
  return expiresS !== 0 && nowS >= expiresS + INVITE_GRACE_S
}

function ownersOf(accounts: ReadonlyMap<AccountKey, EvaluatedAccount>): Map<NodeKey, AccountKey> {
  const owners = new Map<NodeKey, AccountKey>()
  for (const [account, { statement, devices }] of [...accounts].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    if (statement?.status === 'removed') continue
    const present = devices.filter(({ status }) => status === 'in').slice(0, MAX_DEVICES)
    for (const { device } of present) if (!owners.has(device)) owners.set(device, account)
  }
  return owners
}

function keptOf(counted: Omit<Evaluation, 'kept'>): Statement[] {
  const { accounts } = counted
  const kept: Statement[] = []
  const told = new Set<AccountKey>()
  const tellDevicesOf = (account: AccountKey): void => {
    if (told.has(account)) return
    told.add(account)
    kept.push(...(accounts.get(account)?.devices ?? []))
  }
  for (const { statement, overruled } of accounts.values()) {
    if (statement !== undefined) kept.push(statement)
    if (overruled !== undefined) kept.push(overruled)
  }
  kept.push(...counted.revoked.values())
  for (const [account, { statement }] of accounts) {
    if (statement !== undefined) tellDevicesOf(account)
  }
  const refused = counted.refused.map(({ admission }) => admission)
  for (const admission of [...counted.admissions, ...refused].sort(compareAdmissions)) {
    kept.push(admission)
    tellDevicesOf(admission.account)
  }
  kept.push(...counted.announcements.values())
  return kept
}
