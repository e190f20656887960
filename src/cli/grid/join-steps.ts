import { accountKeyOf, newAccountSecret, type AccountSecret } from '../../capabilities/account.ts'
import { memberAccountOf } from '../../capabilities/grid-keys.ts'
import type { DeviceWord, Invite } from '../../capabilities/join-words.ts'
import { equalBytes, toHex } from '../../foundation/bytes.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { deviceName } from '../../home/device-name.ts'
import {
  placeOfSecrets,
  readSecrets,
  writeSecrets,
  type HomeSecrets,
} from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readOwnGrid, type OwnGrid } from '../../home/own-grid.ts'
import { claimOf } from '../../home/own-statements.ts'
import { ensureSecret, readSecret, SECRET_BYTES } from '../../home/secrets.ts'
import { JoinRefusedError } from '../../network/membership/errors.ts'
import type { JoinRequest } from '../../network/membership/messages.ts'
import { accountKeyBytes } from '../../protocol/membership/account-key.ts'
import { hasExpired } from '../../protocol/membership/evaluate.ts'
import { signRedemption } from '../../protocol/membership/grant.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { flawOfMemberName } from '../../protocol/membership/names.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { askNewPassphrase, askPassphrase } from '../passphrase.ts'

export type JoinWord = Invite | DeviceWord

/** Finds out without asking anyone whether a word can still let someone in. @throws JoinRefusedError */
export function refuseExpired(word: JoinWord): void {
  if (word.kind !== 'invite') return
  if (!hasExpired(word.grant, Math.floor(systemClock.nowMs() / 1000))) return
  throw new JoinRefusedError({ kind: 'refusal', reason: 'expired', usedBy: [], evidence: [] })
}

/** @returns the grid that the home belongs to, which can only be the one that the word leads to */
export async function ownGridFor(word: JoinWord, files: HomeFiles): Promise<OwnGrid | undefined> {
  const own = await readOwnGrid(files, systemClock)
  if (own === undefined || equalBytes(own.membership.gridId, word.gridId)) return own
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'grid-exists',
    message:
      `${files.home} belongs to the grid ${own.file.name} already, and a home belongs to one. To join ` +
      `${word.gridName} as well, set HAYLOFT_HOME to another directory.`,
  })
}

/**
 * The secrets of the home: those that are there, or new ones, put on disk before anybody hears of them.
 * @param wanted - the account that it must be, if it must be one
 * @throws CliError if the home has another one
 */
export async function secretsFor(
  wanted: AccountSecret | undefined,
  files: HomeFiles,
  { passphrase }: { readonly passphrase: boolean },
): Promise<{ secrets: HomeSecrets; isNewAccount: boolean }> {
  if ((await placeOfSecrets(files)) !== 'nowhere') {
    const { account, identity } = await readSecrets(files, askPassphrase)
    if (account !== undefined && identity !== undefined) {
      refuseOther(account, wanted, files)
      return { secrets: { account, identity }, isNewAccount: false }
    }
  }
  const asked = passphrase ? await askNewPassphrase() : undefined
  await makePrivateDirectory(files.home)
  const secrets = {
    account: wanted ?? newAccountSecret(systemRandomness),
    identity: (await readSecret(files.identityKey)) ?? systemRandomness.bytes(SECRET_BYTES),
  }
  await writeSecrets(files, secrets, { passphrase: asked, randomness: systemRandomness })
  return { secrets, isNewAccount: wanted === undefined }
}

function refuseOther(
  account: AccountSecret,
  wanted: AccountSecret | undefined,
  { home }: HomeFiles,
): void {
  if (wanted === undefined || equalBytes(accountKeyOf(account), accountKeyOf(wanted))) return
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'account-exists',
    message:
      `${home} has another account than the one that this word is for, and none is ever overwritten. Set ` +
      'HAYLOFT_HOME to an empty directory.',
  })
}

/** What this computer is called among the devices of an account. */
export function deviceLabel(): string {
  const name = deviceName()
  return flawOfMemberName(name) === undefined ? name : 'computer'
}

/** The devices of a home: the one that its commands are, and its storage node. */
export interface HomeDevices {
  readonly secrets: HomeSecrets
  /** Of the storage node, where the home has one. */
  readonly nodeIdentity: Uint8Array | undefined
  readonly deviceName: string
}

export async function ensureNodeIdentity(files: HomeFiles): Promise<Uint8Array> {
  return await ensureSecret(files.nodeKey, systemRandomness)
}

/** What the account says of its devices. */
export function claimsOf(
  membership: Membership,
  { secrets, nodeIdentity, deviceName }: HomeDevices,
): Uint8Array[] {
  const { account } = secrets
  const own = { account, identity: secrets.identity, name: deviceName, use: 'client' } as const
  const claims = [claimOf(membership, own, systemClock)]
  if (nodeIdentity !== undefined) {
    const name = nodeName(deviceName)
    const node = { account, identity: nodeIdentity, name, use: 'storage' } as const
    claims.push(claimOf(membership, node, systemClock))
  }
  return claims
}

/** A computer's storage node is another device of it, and has to be told from it. */
function nodeName(deviceName: string): string {
  const name = `${deviceName}-node`
  return flawOfMemberName(name) === undefined ? name : deviceName
}

/** What a member is asked, so that it lets these devices in. */
export function joinRequestOf(
  word: JoinWord,
  statements: readonly Uint8Array[],
  { secrets, name }: { readonly secrets: HomeSecrets; readonly name: string },
): Exclude<JoinRequest, { kind: 'hello' }> {
  if (word.kind === 'device') return { kind: 'introduce', statements }
  const account = memberAccountOf(secrets.account)
  const { gridId } = word
  return {
    kind: 'join',
    grant: word.grant.bytes,
    account: accountKeyBytes(account),
    name,
    redemption: signRedemption(word.secret, { gridId, account, name }),
    statements,
  }
}

export function gridIdText({ gridId }: JoinWord): string {
  return toHex(gridId)
}
