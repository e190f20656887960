import type { NodeStatus } from '../../storage-node/node-status.ts'
import { formatDuration } from '../progress.ts'
import { count, formatBytes, printableName } from '../terminal.ts'
import type { NodeCareState } from './care.ts'
import type { NameOfAccount } from './account-names.ts'

/** What a running node tells its operator. */
export interface NodeReport extends NodeStatus {
  /** What its settings say, whether or not it is draining. */
  readonly offeredBytes: number
  readonly draining: boolean
  readonly startedMs: number
  readonly care: NodeCareState
  /** Members with an open connection. */
  readonly connected: number
  /** Since it started. */
  readonly traffic: { readonly sentBytes: number; readonly receivedBytes: number }
}

/** For people. */
export function reportLines(report: NodeReport, nameOf: NameOfAccount, nowMs: number): string[] {
  const { usedBytes, freeBytes, offeredBytes, draining, reserveBytes, diskFreeBytes } = report
  const { sentBytes, receivedBytes } = report.traffic
  const offer = draining ? 'nothing new (it is draining)' : formatBytes(offeredBytes)
  return [
    `Up for ${formatDuration(nowMs - report.startedMs)}, connected to ${count(report.connected, 'member')}.`,
    '',
    `offers    ${offer}`,
    `keeps     ${formatBytes(usedBytes)} in ${count(report.shares, 'share')}`,
    `free      ${formatBytes(freeBytes)} for the grid; the disk has ${formatBytes(diskFreeBytes)} free, and ` +
      `${formatBytes(reserveBytes)} stay so`,
    `traffic   ${formatBytes(sentBytes)} sent, ${formatBytes(receivedBytes)} received since it started`,
    ...leaseLines(report),
    ...upkeepLines(report, nowMs),
    ...CARE_LINES[report.care],
    ...accountLines(report, nameOf),
  ]
}

/** Of its home, that is, and of no one else's. */
const CARE_LINES: Readonly<Record<NodeCareState, readonly string[]>> = {
  on: ['care      looks after what this home stores on the grid'],
  off: ['care      does not look after what this home stores: "hayloft node config --maintain on"'],
  'under-passphrase': [
    'care      cannot look after what this home stores, for its account is under a passphrase;',
    '          "hayloft maintain" asks for that, and does as long as it runs',
  ],
  'no-account': [],
}

function leaseLines({ leases }: NodeReport): string[] {
  const { expiring, inGrace, unleased } = leases
  const parts = [
    [expiring, 'end within a week'],
    [inGrace, 'have run out and are kept for up to a week more'],
    [unleased, 'are nobody’s, and freed within the hour'],
  ] as const
  const told = parts.filter(([{ items }]) => items > 0)
  if (told.length === 0) {
    return leases.lasting.items > 0 ? ['leases    all last for more than a week'] : []
  }
  return told.map(
    ([{ items, bytes }, what], at) =>
      `${at === 0 ? 'leases   ' : '         '} of ${count(items, 'item')} (${formatBytes(bytes)}) ${what}`,
  )
}

function upkeepLines({ upkeep }: NodeReport, nowMs: number): string[] {
  const ago = (ms: number | undefined): string =>
    ms === undefined ? 'not yet' : `${agoOf(nowMs - ms)} ago`
  const { collectedMs, scrubbedMs, roundMs, lost } = upkeep
  const found = lost === 0 ? 'nothing was ever lost' : `${lost} lost so far`
  return [
    `upkeep    collected ${ago(collectedMs)}, checked some ${ago(scrubbedMs)}, all ${ago(roundMs)}; ${found}`,
  ]
}

function agoOf(elapsedMs: number): string {
  const days = Math.floor(elapsedMs / 86_400_000)
  return days >= 2 ? count(days, 'day') : formatDuration(elapsedMs)
}

function accountLines({ accounts }: NodeReport, nameOf: NameOfAccount): string[] {
  if (accounts.length === 0) return ['', 'Nobody stores anything here yet.']
  return [
    '',
    'Who stores here:',
    ...accounts.map(
      ({ account, usedBytes, handedBytes }) =>
        `  ${formatBytes(usedBytes + handedBytes).padStart(10)}  ${printableName(nameOf(account))}` +
        (handedBytes > 0 ? `, of which ${formatBytes(handedBytes)} come from nodes that left` : ''),
    ),
  ]
}

/** For programs; null for what has not happened yet. */
export function describeReport(report: NodeReport, nameOf: NameOfAccount): object {
  const { collectedMs, scrubbedMs, roundMs, lost } = report.upkeep
  return {
    startedMs: report.startedMs,
    connected: report.connected,
    traffic: report.traffic,
    draining: report.draining,
    care: report.care,
    offeredBytes: report.offeredBytes,
    reserveBytes: report.reserveBytes,
    usedBytes: report.usedBytes,
    shares: report.shares,
    freeBytes: report.freeBytes,
    diskFreeBytes: report.diskFreeBytes,
    accounts: report.accounts.map((each) => ({ ...each, name: nameOf(each.account) })),
    leases: report.leases,
    upkeep: {
      collectedMs: collectedMs ?? null,
      scrubbedMs: scrubbedMs ?? null,
      roundMs: roundMs ?? null,
      lost,
    },
  }
}
