import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { MalformedMessageError } from '../../protocol/cbor.ts'
import { nodeKeyOfIdentity } from '../identity.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { AccountKey } from '../../protocol/membership/account-key.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { Statement } from '../../protocol/membership/statements.ts'
import { joinProtocol } from '../host.ts'
import { MAX_JOIN_MESSAGE_BYTES, MAX_JOIN_STATEMENTS, STRANGER_LIFETIME_MS } from './limits.ts'
import {
  decodeJoinReply,
  encodeJoinRequest,
  type JoinRefusal,
  type JoinReply,
  type JoinRequest,
} from './messages.ts'
import { openTalk, talkWithin } from './talk.ts'

/** Shows a member that takes this device for a stranger why it is none. @throws if the member is gone or talks nonsense */
export async function introduceSelf(
  connection: Connection,
  {
    membership,
    identity,
    clock,
  }: { readonly membership: Membership; readonly identity: Uint8Array; readonly clock: Clock },
): Promise<JoinRefusal | { readonly kind: 'welcome' }> {
  const statements = introductionOf(membership, nodeKeyOfIdentity(identity))
  const request = { kind: 'introduce', statements } as const
  const reply = await askDoor(connection, request, { gridId: membership.gridId, clock })
  if (reply.kind === 'greeting') throw new MalformedMessageError('It did not answer the question.')
  return reply
}

/** Asks one thing as a stranger may. @throws as {@link introduceSelf} */
export async function askDoor(
  connection: Connection,
  request: JoinRequest,
  { gridId, clock }: { readonly gridId: Uint8Array; readonly clock: Clock },
): Promise<JoinReply> {
  const talk = await openTalk(connection, {
    protocol: joinProtocol(gridId),
    maxMessageBytes: MAX_JOIN_MESSAGE_BYTES,
    clock,
  })
  return await talkWithin(talk, { limitMs: STRANGER_LIFETIME_MS, clock }, async () =>
    decodeJoinReply(await talk.ask(encodeJoinRequest(request))),
  )
}

/**
 * Why a device is a member's: how its account came in, who let it in, who let that one in, and so on as far as one message
 * goes. Whoever knows the older members is convinced by it.
 *
 * @returns statements, each after what it rests on; none if the device never belonged to anyone
 */
function introductionOf(membership: Membership, device: NodeKey): Uint8Array[] {
  const all = membership.all()
  const chosen = new Set<Statement>()
  const seen = new Set<AccountKey>()
  let devices: NodeKey[] = [device]
  while (devices.length > 0 && chosen.size < MAX_JOIN_STATEMENTS) {
    const claims = all.filter((each) => each.kind === 'device' && devices.includes(each.device))
    for (const claim of claims) chosen.add(claim)
    const accounts = claims.map((claim) => (claim as { account: AccountKey }).account)
    devices = []
    for (const account of accounts.filter((each) => !seen.has(each))) {
      seen.add(account)
      const reasons = all.filter(
        (each) => (each.kind === 'member' || each.kind === 'admission') && each.account === account,
      )
      for (const reason of reasons) {
        chosen.add(reason)
        if (reason.kind === 'admission') devices.push(reason.sponsor)
      }
    }
  }
  return lastFitting(all.filter((each) => chosen.has(each)))
}

/** The last ones are the newest, which others may not know yet. */
function lastFitting(statements: readonly Statement[]): Uint8Array[] {
  const fitting: Uint8Array[] = []
  let bytes = MESSAGE_OVERHEAD_BYTES
  for (const statement of statements.toReversed()) {
    bytes += statement.bytes.length + STATEMENT_OVERHEAD_BYTES
    if (bytes > MAX_JOIN_MESSAGE_BYTES || fitting.length >= MAX_JOIN_STATEMENTS) break
    fitting.unshift(statement.bytes)
  }
  return fitting
}

/** CBOR around the statements, and around each. */
const MESSAGE_OVERHEAD_BYTES = 16
const STATEMENT_OVERHEAD_BYTES = 3
