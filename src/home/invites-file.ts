import { fromHex, toHex } from '../foundation/bytes.ts'
import { MalformedStatementError } from '../protocol/membership/fields.ts'
import { decodeGrant, MAX_GRANT_BYTES, type InviteGrant } from '../protocol/membership/grant.ts'
import type { Membership } from '../protocol/membership/membership.ts'
import { damaged, readJsonFile, writeJsonFile } from './json-file.ts'
import type { HomeFiles } from './layout.ts'

const FORMAT = { format: 'hayloft-invites', version: 1 }

/** Of those that are still open; the newest are kept. */
const MAX_INVITES = 1000

/**
 * Invites that were made in this home and would still let somebody in, oldest first. What is kept of one is what it grants, which
 * every member may know, and nothing by which one could come in.
 * @throws HomeError
 */
export async function readOpenInvites(
  { invites: path }: HomeFiles,
  membership: Membership,
): Promise<InviteGrant[]> {
  const fields = await readJsonFile(path, FORMAT)
  const grants = (fields?.texts('grants') ?? []).map((hex) => grantIn(hex, { path, membership }))
  return grants.filter((grant) => membership.refusalOf(grant) === undefined)
}

/** @throws HomeError, SystemFailureError */
export async function keepInvite(
  files: HomeFiles,
  grant: InviteGrant,
  membership: Membership,
): Promise<void> {
  const open = [...(await readOpenInvites(files, membership)), grant].slice(-MAX_INVITES)
  await writeJsonFile(files.invites, FORMAT, { grants: open.map(({ bytes }) => toHex(bytes)) })
}

function grantIn(
  hex: string,
  { path, membership }: { readonly path: string; readonly membership: Membership },
): InviteGrant {
  const bytes = hex.length > 2 * MAX_GRANT_BYTES ? undefined : fromHex(hex)
  if (bytes === undefined) throw damaged(path, 'it names an invite that is none')
  try {
    return decodeGrant(bytes, membership.gridId)
  } catch (error) {
    if (error instanceof MalformedStatementError) {
      throw damaged(path, 'it names an invite that this grid has not signed')
    }
    throw error
  }
}
