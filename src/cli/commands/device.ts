import { MAX_JOIN_ADDRESSES } from '../../capabilities/kinds.ts'
import { formatDeviceWord } from '../../capabilities/join-words.ts'
import { signingAsAccount } from '../../capabilities/grid-keys.ts'
import { systemClock } from '../../foundation/system.ts'
import { describeDevice } from '../../library/member-json.ts'
import { MAX_DEVICES } from '../../protocol/membership/limits.ts'
import { signDevice } from '../../protocol/membership/sign.ts'
import type { Device } from '../../protocol/membership/state.ts'
import { nextSequence } from '../../protocol/membership/statements.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { CommandContext } from '../folders/folder-client.ts'
import { doorAddresses } from '../grid/door-addresses.ts'
import { deviceLine, tellSilent } from '../grid/member-report.ts'
import { askMembers, devicesHere, requireOwn, withMembers } from '../grid/own.ts'
import { printWord } from '../grid/print-word.ts'
import { deviceCalled } from '../grid/who.ts'
import { count } from '../terminal.ts'

/** Prints the word by which another computer becomes a device of the same account. */
export async function deviceAdd({ files, terminal }: CommandContext): Promise<ExitCode> {
  const own = await requireOwn(files)
  const { file, membership, secrets } = own
  const { length } = membership.member(own.account)?.devices ?? []
  if (length >= MAX_DEVICES) throw tooMany()
  const addresses = await doorAddresses(files, own, MAX_JOIN_ADDRESSES)
  const { account } = secrets
  const door = { gridId: membership.gridId, gridName: file.name, addresses }
  const word = formatDeviceWord({ account, ...door })
  if (terminal.json) {
    terminal.value({ word, grid: file.name, addresses })
    return EXIT.ok
  }
  printWord(word, terminal)
  terminal.note(
    'DANGER: this is as strong as your recovery key. Whoever sees it has all that you have, for ever. Bring it to your ' +
      'other computer by hand, or by a way that nobody else sees, and delete it everywhere afterwards.',
  )
  terminal.note('There, "hayloft grid join -" takes it.')
  return EXIT.ok
}

/** The devices of this account. */
export async function deviceList(context: CommandContext): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const reached = await askMembers(own, context)
  const devices = own.membership.member(own.account)?.devices ?? []
  const here = await devicesHere(own, files)
  if (terminal.json) {
    terminal.value({
      devices: devices.map((device) => ({ ...describeDevice(device), here: here.has(device.key) })),
      reached: reached.count,
      silent: reached.silent,
    })
    return EXIT.ok
  }
  for (const device of devices) {
    terminal.line(
      `${deviceLine(device, { devices })}${here.has(device.key) ? ' (this computer)' : ''}`,
    )
  }
  tellSilent(reached, terminal)
  return EXIT.ok
}

/** Takes a device from the account: it gets no further anywhere that hears of it. */
export async function deviceRemove(
  { name }: { readonly name: string },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal } = context
  const own = await requireOwn(files)
  const here = await devicesHere(own, files)
  let removed: Device | undefined
  const reached = await withMembers(own, context, (membership) => {
    removed = deviceCalled(name, membership.member(own.account)?.devices ?? [])
    if (here.has(removed.key)) throw deviceHere()
    const { statement, key: device, use } = removed
    const seq = nextSequence(statement.seq, systemClock.nowMs())
    const status = 'removed' as const
    const said = { account: own.account, device, seq, name: removed.name, use, status }
    const signing = signingAsAccount(own.secrets.account, membership.gridId)
    return [signDevice({ ...said, consent: undefined }, signing).bytes]
  })
  if (removed === undefined) return EXIT.ok
  if (terminal.json) {
    terminal.value({ key: removed.key, name: removed.name, told: reached })
    return EXIT.ok
  }
  terminal.line(
    reached === 0
      ? `Removed ${removed.name}. No member can be reached now: they hear of it from your next command, or from your node.`
      : `Removed ${removed.name}, and told ${count(reached, 'member')}, who pass it on.`,
  )
  terminal.note(
    'It still has the secrets of your account, unless they were under a passphrase. If it was stolen, ask an admin to remove ' +
      'your account, make a new one in another home with "hayloft init", and put your files into new folders there.',
  )
  return EXIT.ok
}

function deviceHere(): CliError {
  return new CliError({
    exit: EXIT.usage,
    code: 'cannot-remove-self',
    message:
      'That is the computer you are at. Remove it from another one of yours, or leave the grid: "hayloft grid leave".',
  })
}

function tooMany(): CliError {
  return new CliError({
    exit: EXIT.cannotCreate,
    code: 'too-many-devices',
    message: `You have ${MAX_DEVICES} devices, which is the most. "hayloft device remove" takes one away.`,
  })
}
