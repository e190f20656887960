import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { signingAsAccount, signingAsGrid } from '../../capabilities/grid-keys.ts'
import type { SlotWriteKey } from '../../capabilities/slot-keys.ts'
import { sleep } from '../../foundation/clock.ts'
import { systemClock } from '../../foundation/system.ts'
import { findGridKey } from '../../home/grid-key-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readRunning } from '../../home/running-file.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { signDevice, signMember } from '../../protocol/membership/sign.ts'
import type { Device } from '../../protocol/membership/state.ts'
import { nextSequence } from '../../protocol/membership/statements.ts'
import { nextOf } from '../../protocol/membership/succeed.ts'
import type { DrainReport } from '../../storage-node/drain/report.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { devicesHere, requireOwn, withMembers, type OwnMembership } from '../grid/own.ts'
import { accountLabels } from '../node/account-names.ts'
import { drainNode } from '../node/drain-node.ts'
import { formerMembersLine, isHeldUp, leftLines } from '../node/drain-text.ts'
import type { Terminal } from '../terminal.ts'

/**
 * Takes this computer out of its grid: what its node keeps moves to others first. With the last computer of an account,
 * its person leaves.
 */
export async function gridLeave(
  { now = false }: { readonly now?: boolean },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const gridKey = await findGridKey(files, own.secrets.account, own.membership)
  const { others: staying } = await leavingOf(own, files)
  refuseLastAdmin(own, staying, gridKey)
  const hasNode = existsSync(files.node)
  if (hasNode && !now) {
    const report = await drainNode(context)
    const leavingAccount = staying.length === 0 ? own.account : undefined
    if (isHeldUp(report, leavingAccount)) return stay(report, own, terminal)
    for (const line of formerMembersLine(report)) terminal.note(line)
  }
  let others: readonly Device[] = []
  await withMembers(own, context, async (membership, reached) => {
    const leaving = await leavingOf({ ...own, membership }, files)
    ;({ others } = leaving)
    refuseUnheard(membership, { leaving: leaving.here, reached })
    return farewellOf(membership, { own, leaving: leaving.here, others, gridKey })
  })
  await untilNodeEnded(files, context)
  for (const path of [
    files.grid,
    files.membership,
    files.gridKey,
    files.invites,
    files.addresses,
  ]) {
    await rm(path, { force: true })
  }
  if (terminal.json) terminal.value({ grid: own.file.name, left: true, drained: hasNode && !now })
  else {
    terminal.line(`This computer has left the grid ${own.file.name}.`)
    if (others.length > 0) {
      terminal.line(`Your others stay: ${others.map(({ name }) => name).join(', ')}.`)
    } else terminal.note('What you stored there is kept until its leases end, 45 days at the most.')
  }
  return EXIT.ok
}

/** The devices that are this computer, and the account's others. */
async function leavingOf(
  own: OwnMembership,
  files: HomeFiles,
): Promise<{ here: readonly Device[]; others: readonly Device[] }> {
  const keys = await devicesHere(own, files)
  const devices = own.membership.member(own.account)?.devices ?? []
  return {
    here: devices.filter(({ key }) => keys.has(key)),
    others: devices.filter(({ key }) => !keys.has(key)),
  }
}

function farewellOf(
  membership: Membership,
  {
    own,
    leaving,
    others,
    gridKey,
  }: {
    own: OwnMembership
    leaving: readonly Device[]
    others: readonly Device[]
    gridKey: SlotWriteKey | undefined
  },
): Uint8Array[] {
  const { account, secrets } = own
  const nowMs = systemClock.nowMs()
  const signing = signingAsAccount(secrets.account, membership.gridId)
  const statements = leaving.map(({ key: device, name, use, statement }) => {
    const seq = nextSequence(statement.seq, nowMs)
    const said = { account, device, seq, name, use, status: 'removed', consent: undefined } as const
    return signDevice(said, signing).bytes
  })
  const member = membership.member(account)
  if (others.length > 0 || gridKey === undefined || member === undefined) return statements
  const said = nextOf(member, { status: 'removed' }, nowMs)
  return [...statements, signMember(said, signingAsGrid(gridKey)).bytes]
}

/** Without an admin, nobody could ever be let in or removed again. */
function refuseLastAdmin(
  { membership, account }: OwnMembership,
  others: readonly Device[],
  gridKey: SlotWriteKey | undefined,
): void {
  if (gridKey === undefined || others.length > 0) return
  const rest = membership.members.filter(
    (member) => member.status === 'in' && member.account !== account,
  )
  if (rest.length === 0 || rest.some(({ role }) => role === 'admin')) return
  throw new CliError({
    exit: EXIT.permission,
    code: 'last-admin',
    message:
      'You are the only admin, and without one nobody could be let in or removed any more. Make someone else an admin ' +
      'first: "hayloft grid member NAME --role admin".',
  })
}

/** What nobody hears, nobody acts on; and this home forgets it. */
function refuseUnheard(
  membership: Membership,
  { leaving, reached }: { leaving: readonly Device[]; reached: number },
): void {
  const own = new Set(leaving.map(({ key }) => key))
  const isAlone = membership.keys().every((key) => own.has(key))
  if (reached > 0 || isAlone) return
  throw new CliError({
    exit: EXIT.tryAgain,
    code: 'nobody-reached',
    message:
      'No other member can be reached now, so nobody would hear that this computer leaves. Try again later.',
  })
}

/** A node that hears that it is no member ends by itself, and writes a last time what it knows. */
async function untilNodeEnded(files: HomeFiles, { signal }: CommandContext): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + END_TIMEOUT_MS
  while ((await readRunning(files.running)) !== undefined) {
    if (systemClock.monotonicMs() > deadlineMs) return
    await sleep(systemClock, END_POLL_MS, signal)
  }
}

const END_TIMEOUT_MS = 15_000
const END_POLL_MS = 50

function stay(report: DrainReport, { membership }: OwnMembership, terminal: Terminal): ExitCode {
  const { left, reasons, beyondQuota } = report
  if (terminal.json) terminal.value({ left: false, remaining: left, reasons, beyondQuota })
  else {
    terminal.line('Not left yet: not all that this node keeps could be moved.')
    for (const line of leftLines(report, accountLabels(membership))) terminal.line(line)
    terminal.line(
      'It goes on trying while it runs: run this again later, or with --now to leave the rest behind, which may lose files ' +
        'of your friends.',
    )
  }
  return EXIT.degraded
}
