import { nameWithDigits } from '../../library/node-names.ts'
import type { Device, Member } from '../../protocol/membership/state.ts'
import type { InviteKeyHex } from '../../protocol/membership/statements.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'

/**
 * Someone by name, or by the first digits of their account.
 * @throws CliError if there is none, or more than one
 */
export function memberCalled(text: string, members: readonly Member[]): Member {
  return theOne(text, {
    noun: 'member',
    among: members.map((member) => ({ ...named(member.name, member.account), value: member })),
    list: '"hayloft grid members" lists them.',
  })
}

/** One of somebody's devices by name, or by the first digits of its key. @throws CliError as {@link memberCalled} */
export function deviceCalled(text: string, devices: readonly Device[]): Device {
  return theOne(text, {
    noun: 'device of yours',
    among: devices.map((device) => ({ ...named(device.name, device.key), value: device })),
    list: '"hayloft device list" lists them.',
  })
}

/** An invite that is known here. */
export interface KnownInvite {
  readonly inviteKey: InviteKeyHex
  /** Whom it is for, or whom it has let in. */
  readonly name: string
}

/**
 * An invite by the name that it was made for, or the first digits of its key; else one by whom it has let in.
 * @param open - those that may still let somebody in
 * @throws CliError as {@link memberCalled}
 */
export function inviteCalled(
  text: string,
  { open, used }: { readonly open: readonly KnownInvite[]; readonly used: readonly KnownInvite[] },
): InviteKeyHex {
  const isOpen = open.some(({ name }) => name === nameIn(text))
  const { inviteKey } = theOne(text, {
    noun: 'invite',
    among: (isOpen ? open : [...open, ...used]).map((value) => {
      const { name, inviteKey: key } = value
      return { name, key, value }
    }),
    list:
      'Give the invite itself, as @FILE or - (standard input), or whom it is for or its first digits, as "hayloft grid members" ' +
      'lists those that were made on this computer.',
  })
  return inviteKey
}

/** Fewer could be a name. */
const MIN_DIGITS = 8

interface Candidate<T> {
  readonly name: string
  readonly key: string
  readonly value: T
}

function named(name: string, key: string): { name: string; key: string } {
  return { name, key }
}

function nameIn(text: string): string {
  return text.normalize('NFC').trim()
}

function theOne<T>(
  text: string,
  { noun, among, list }: { noun: string; among: readonly Candidate<T>[]; list: string },
): T {
  const wanted = nameIn(text)
  const byName = among.filter(({ name }) => name === wanted)
  const digits = wanted.toLowerCase()
  const byKey = among.filter(({ key }) => digits.length >= MIN_DIGITS && key.startsWith(digits))
  const found = byName.length > 0 ? byName : byKey
  const [first, ...others] = found
  if (first !== undefined && others.length === 0) return first.value
  if (first === undefined) {
    const near = among.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
    throw new CliError({
      exit: EXIT.inputMissing,
      code: 'name-unknown',
      message: `There is no ${noun} of that name. ${near === undefined ? list : `Do you mean ${near.name}?`}`,
    })
  }
  const shown = found.map(({ name, key }) => nameWithDigits(name, key)).join(', ')
  throw new CliError({
    exit: EXIT.usage,
    code: 'name-ambiguous',
    message: `More than one is called that: ${shown}. Give the digits instead of the name.`,
  })
}
