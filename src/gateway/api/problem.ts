import type { FastifyError, FastifyReply } from 'fastify'
import { Type, type Static } from 'typebox'
import { withoutCapabilities } from '../../capabilities/redact.ts'
import { HayloftError, messageOf } from '../../foundation/error.ts'
import { describeSystemFailure } from '../../foundation/system-failure.ts'
import { ApiError } from './errors.ts'

/** A failure as RFC 9457 has it. */
export const Problem = Type.Object(
  {
    type: Type.Literal('about:blank'),
    title: Type.String({ description: 'What happened and what to do, in a sentence.' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String({ description: 'Stable, for programs: see docs/errors.md.' }),
  },
  { $id: 'Problem', title: 'Problem', description: 'A failure (RFC 9457).' },
)
export type Problem = Static<typeof Problem>

/** Told as a problem; a bug is logged and told as one. */
export function tellProblem(
  thrown: unknown,
  reply: FastifyReply,
  onBug: (thrown: unknown) => void,
): FastifyReply {
  const known = knownFailure(thrown)
  if (known === undefined) onBug(thrown)
  const { code, message } = known ?? INTERNAL
  const status = statusOf(code)
  const problem: Problem = {
    type: 'about:blank',
    title: withoutCapabilities(message),
    status,
    code,
  }
  return reply.code(status).type('application/problem+json').send(problem)
}

const FAILURE = {
  description: 'It was not done; the code says why.',
  content: { 'application/problem+json': { schema: Type.Ref('Problem') } },
}

/** What every route answers where something is wrong. */
export const FAILURES = { '4xx': FAILURE, '5xx': FAILURE }

const INTERNAL = {
  code: 'internal',
  message:
    'Hayloft itself failed, which is a bug. The log of the daemon has more. Please report it.',
}

function knownFailure(thrown: unknown): { code: string; message: string } | undefined {
  if (thrown instanceof HayloftError) return thrown
  const ofFramework = frameworkFailure(thrown as Partial<FastifyError> | undefined)
  return ofFramework ?? describeSystemFailure(thrown, 'The operation')
}

function frameworkFailure(thrown: Partial<FastifyError> | undefined): ApiError | undefined {
  if (thrown?.validation !== undefined) {
    return new ApiError(
      'request-invalid',
      `The request is not as described: ${thrown.message ?? ''}.`,
    )
  }
  if (thrown?.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new ApiError('request-too-large')
  const { statusCode = 500 } = thrown ?? {}
  if (statusCode < 400 || statusCode >= 500) return undefined
  return new ApiError('request-invalid', `The request cannot be read: ${messageOf(thrown)}`)
}

/** By code; those not named here are failures of a disk or of the grid. */
const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'request-invalid': 400,
  usage: 400,
  'offer-exceeds-disk': 409,
  'capability-in-url': 400,
  'capability-malformed': 400,
  'name-invalid': 400,
  'path-too-deep': 400,
  'entry-too-large': 400,
  'place-unsuitable': 400,
  'token-wrong': 401,
  'host-refused': 403,
  'origin-refused': 403,
  'power-missing': 403,
  'not-a-member': 403,
  permission: 403,
  'no-such-route': 404,
  'path-not-found': 404,
  'alias-unknown': 404,
  'sync-unknown': 404,
  'node-absent': 404,
  'not-found': 404,
  'folder-missing': 404,
  'mutable-missing': 404,
  'no-state-then': 404,
  'not-a-directory': 409,
  'is-a-directory': 409,
  'is-directory': 409,
  'not-a-file': 409,
  'directory-not-empty': 409,
  'into-itself': 409,
  'link-cycle': 409,
  'cannot-create': 409,
  'not-merged': 409,
  'too-many-versions': 409,
  'sync-overlaps': 409,
  'not-syncable': 409,
  'not-synced': 404,
  'version-differs': 412,
  'folder-changed': 412,
  'file-changed': 412,
  'request-too-slow': 408,
  'request-too-large': 413,
  'range-invalid': 416,
  'slot-contended': 503,
  'too-few-nodes': 503,
  'not-enough-shares': 503,
  'daemon-ending': 503,
  'slot-unavailable': 503,
  'slot-not-stored': 503,
  'disk-full': 507,
}

function statusOf(code: string): number {
  return STATUS_OF_CODE[code] ?? (code === 'internal' ? 500 : 502)
}

/** A request to what is not there. */
export function noSuchRoute(): never {
  throw new ApiError('no-such-route')
}
