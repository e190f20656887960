import type { NodeKey } from '../node-key.ts'
import type { AccountKey } from './account-key.ts'
import type { EvaluatedAccount, Evaluation } from './evaluate.ts'
import type { Device, Member } from './state.ts'

/** A storage node as placement sees it. */
export interface PlacementNode {
  readonly key: NodeKey
  readonly name: string
  /** The household that would lose its nodes together. */
  readonly zone: string
  /** What the node offers to the grid, in bytes. */
  readonly capacityBytes: number
}

/** What an evaluation means at one time. */
export interface MembershipView {
  readonly members: readonly Member[]
  readonly byAccount: ReadonlyMap<AccountKey, Member>
  /** Of those who belong to the grid. */
  readonly byDevice: ReadonlyMap<NodeKey, Member>
  readonly nodes: readonly PlacementNode[]
  /** It means the same from then on … */
  readonly fromMs: number
  /** … and until then. */
  readonly untilMs: number
}

/** @param before - gives its nodes again if they are the same */
export function deriveView(
  evaluation: Evaluation,
  nowMs: number,
  before?: MembershipView,
): MembershipView {
  const members = [...evaluation.accounts]
    .map(([account, evaluated]) => memberOf(account, { evaluated, evaluation, nowMs }))
    .sort((a, b) => compareTexts(a.name, b.name) || compareTexts(a.account, b.account))
  const present = members.filter(({ status }) => status === 'in')
  const byDevice = new Map(
    present.flatMap((member) => member.devices.map(({ key }) => [key, member])),
  )
  const nodes = present
    .flatMap(({ devices }) => devices)
    .flatMap(placementNodeOf)
    .sort((a, b) => compareTexts(a.key, b.key))
  const expiries = members.map(({ expiresS }) => 1000 * expiresS).filter((ms) => ms !== 0)
  return {
    members,
    byAccount: new Map(members.map((member) => [member.account, member])),
    byDevice,
    nodes: before !== undefined && areEqual(before.nodes, nodes) ? before.nodes : nodes,
    fromMs: Math.max(-Infinity, ...expiries.filter((ms) => ms <= nowMs)),
    untilMs: Math.min(Infinity, ...expiries.filter((ms) => ms > nowMs)),
  }
}

function memberOf(
  account: AccountKey,
  context: { evaluated: EvaluatedAccount; evaluation: Evaluation; nowMs: number },
): Member {
  const { statement, overruled, admission } = context.evaluated
  const grant = admission?.grant
  const expiresS = statement?.expiresS ?? 0
  const hasExpired = expiresS !== 0 && 1000 * expiresS <= context.nowMs
  const status = statement?.status === 'removed' ? 'removed' : hasExpired ? 'expired' : 'in'
  return {
    account,
    name: statement?.name ?? grant?.name ?? admission?.name ?? '',
    role: statement?.role ?? grant?.role ?? 'member',
    quotaBytes: statement === undefined ? grant?.quotaBytes : statement.quotaBytes,
    expiresS,
    status,
    admission,
    statement,
    overruled,
    devices: devicesOf(account, context),
  }
}

function devicesOf(
  account: AccountKey,
  { evaluated, evaluation }: { evaluated: EvaluatedAccount; evaluation: Evaluation },
): Device[] {
  return evaluated.devices
    .filter(({ device, status }) => status === 'in' && evaluation.owners.get(device) === account)
    .map((statement) => ({
      key: statement.device,
      name: statement.name,
      use: statement.use,
      statement,
      announcement: evaluation.announcements.get(statement.device),
    }))
    .sort((a, b) => compareTexts(a.name, b.name) || compareTexts(a.key, b.key))
}

/** One that has not said yet what it offers, or where, can be given nothing. */
function placementNodeOf({ key, name, use, announcement }: Device): PlacementNode[] {
  if (use !== 'storage' || announcement === undefined) return []
  const { zone, capacityBytes } = announcement
  return [{ key, name, zone, capacityBytes }]
}

function areEqual(a: readonly PlacementNode[], b: readonly PlacementNode[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, name, zone, capacityBytes }, at) => {
      const other = b[at]
      return (
        key === other?.key &&
        name === other.name &&
        zone === other.zone &&
        capacityBytes === other.capacityBytes
      )
    })
  )
}

/** By code units: the same on every machine, whatever its language. */
function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
