import { sha256 } from '../crypto/hash.ts'
import { allocateBytes, concatBytes, equalBytes, utf8, viewOf } from '../foundation/bytes.ts'
import type { Clock } from '../foundation/clock.ts'
import { MAX_STATEMENT_BYTES, MAX_STATEMENTS_BYTES } from '../protocol/membership/limits.ts'
import { Membership } from '../protocol/membership/membership.ts'
import { HomeError } from './errors.ts'
import { withFileLock } from './file-lock.ts'
import { readIfThere, writePrivateFile } from './files.ts'
import { damaged } from './json-file.ts'

/**
 * `membership`: all statements that this home holds about who belongs to its grid. A first line and the grid id, then for each
 * statement `u16 length ‖ statement`, in an order in which each comes after what it rests on, and SHA-256 of all that.
 *
 * @throws HomeError if nothing in the file can be used. One that is damaged in part gives what is whole: each statement is
 * signed, and what is missing comes back from other members.
 */
export async function readMembership(
  path: string,
  { gridId, clock }: { readonly gridId: Uint8Array; readonly clock: Clock },
): Promise<Membership> {
  const membership = new Membership({ gridId, clock })
  const bytes = await readIfThere(path)
  if (bytes !== undefined) addAll(membership, bytes, path)
  return membership
}

/**
 * Puts a membership on disk; resolves once it would survive a power cut. What other processes of this home wrote in the
 * meantime stays, and the membership learns it.
 */
export async function writeMembership(
  path: string,
  membership: Membership,
  clock: Clock,
): Promise<void> {
  const lock = { clock, timeoutMs: LOCK_TIMEOUT_MS, lockedTooLong: () => lockedTooLong(path) }
  await withFileLock(`${path}.lock`, lock, async () => {
    const there = await readIfThere(path)
    if (there !== undefined) addAll(membership, there, path)
    const bytes = encode(membership)
    if (there === undefined || !equalBytes(bytes, there)) await writePrivateFile(path, bytes)
  })
}

const FIRST_LINE = utf8('hayloft-membership 1\n')
const HEAD_BYTES = FIRST_LINE.length + 32
const DIGEST_BYTES = 32
const LENGTH_BYTES = 2
/** No file of ours is larger: the shortest statement has over a hundred bytes. */
const MAX_FILE_BYTES = 2 * MAX_STATEMENTS_BYTES
/** Writing takes some milliseconds, and on a sleepy disk some seconds. */
const LOCK_TIMEOUT_MS = 30_000

function encode(membership: Membership): Uint8Array {
  const parts = membership.all().flatMap(({ bytes }) => {
    const length = allocateBytes(LENGTH_BYTES)
    viewOf(length).setUint16(0, bytes.length)
    return [length, bytes]
  })
  const body = concatBytes([headOf(membership), ...parts])
  return concatBytes([body, sha256(body)])
}

function headOf({ gridId }: Membership): Uint8Array {
  return concatBytes([FIRST_LINE, gridId])
}

function addAll(membership: Membership, bytes: Uint8Array, path: string): void {
  const isOurs = equalBytes(bytes.subarray(0, HEAD_BYTES), headOf(membership))
  if (!isOurs || bytes.length > MAX_FILE_BYTES) throw unusable(path)
  const body = bytes.subarray(0, Math.max(HEAD_BYTES, bytes.length - DIGEST_BYTES))
  const isWhole = equalBytes(sha256(body), bytes.subarray(body.length))
  const statements = split(isWhole ? body : bytes)
  if (isWhole) membership.restore(statements)
  else membership.add(statements)
  if (!isWhole && membership.all().length === 0) throw unusable(path)
}

/** As many statements as can be told apart. */
function split(bytes: Uint8Array): Uint8Array[] {
  const statements: Uint8Array[] = []
  const view = viewOf(bytes)
  let at = HEAD_BYTES
  while (at + LENGTH_BYTES <= bytes.length) {
    const end = at + LENGTH_BYTES + view.getUint16(at)
    if (end > bytes.length || end - at - LENGTH_BYTES > MAX_STATEMENT_BYTES) break
    statements.push(bytes.slice(at + LENGTH_BYTES, end))
    at = end
  }
  return statements
}

function unusable(path: string): HomeError {
  return damaged(
    path,
    'nothing in it is a statement about the members of its grid. Move it away; "hayloft recover" with the address of ' +
      'a friend gets it anew',
  )
}

function lockedTooLong(path: string): HomeError {
  return new HomeError({
    code: 'home-busy',
    message: `Another hayloft is writing ${path}. If none is, delete ${path}.lock.`,
  })
}
