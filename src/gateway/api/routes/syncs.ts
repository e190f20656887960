import { Type } from 'typebox'
import { withoutCapabilities } from '../../../capabilities/redact.ts'
import { readSyncs, type SyncEntry } from '../../../home/sync-file.ts'
import {
  addSync,
  forgetSync,
  pauseSyncs,
  removeSync,
  revertSync,
  selectSync,
} from '../../daemon/sync-list.ts'
import { reportOf, syncReports } from '../../daemon/sync-report.ts'
import { findPlace } from '../../places.ts'
import type { ApiContext } from '../context.ts'
import { ApiError } from '../errors.ts'
import { PlaceRef, type Place } from '../place-schema.ts'
import { exactly } from '../exactly.ts'
import { FAILURES } from '../problem.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'
import { SyncStatus } from '../sync-status.ts'

const ById = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{32}$' }) })

const Paths = Type.Array(Type.String({ minLength: 1, maxLength: 4096 }), { maxItems: 10_000 })
/** Of bodies that name paths. */
const MAX_CHOICE_BYTES = 1024 * 1024
const CHOICE = {
  only: Type.Optional(
    Type.Unsafe<string[]>({ ...Paths, description: 'Nothing but these paths of the folder.' }),
  ),
  except: Type.Optional(
    Type.Unsafe<string[]>({ ...Paths, description: 'Not these paths of the folder.' }),
  ),
}

const NewSync = exactly({
  ...CHOICE,
  directory: Type.String({ minLength: 1, maxLength: 4096, description: 'An absolute path.' }),
  place: PlaceRef,
  label: Type.Optional(
    Type.String({ maxLength: 1000, description: 'What to call the folder; nothing secret.' }),
  ),
})

/** Directories that are kept in step with folders. */
export function addSyncRoutes(server: Server, context: ApiContext): void {
  server.get(
    '/v1/syncs',
    {
      schema: {
        summary: 'What is synced, and how it fares',
        response: { 200: Type.Object({ syncs: Type.Array(SyncStatus) }), ...FAILURES },
      },
    },
    async () => ({ syncs: await syncReports(context) }),
  )
  server.post(
    '/v1/syncs',
    {
      bodyLimit: MAX_CHOICE_BYTES,
      schema: {
        summary: 'Sync a directory from now on',
        description:
          'With a folder, or what becomes one: a directory of a folder is promoted, and where nothing is a new folder is made.',
        body: NewSync,
        response: {
          201: Type.Object({ sync: SyncStatus, isNew: Type.Boolean() }),
          ...FAILURES,
        },
      },
    },
    async ({ body }, reply) => {
      const signal = signalOf(reply, context.signal)
      const { directory, only, except } = body
      const label = withoutCapabilities(body.label ?? labelOf(body.place))
      const place = await findPlace(body.place, context)
      const { entry, isNew } = await addSync(
        { directory, place, label, only, except },
        context,
        signal,
      )
      await context.syncs.follow()
      return await reply.code(201).send({ sync: await reportOf(context, entry), isNew })
    },
  )
  addRoutesById(server, context)
  addChoiceRoutes(server, context)
}

function addRoutesById(server: Server, context: ApiContext): void {
  const response = { 200: SyncStatus, ...FAILURES }
  server.get(
    '/v1/syncs/:id',
    { schema: { summary: 'How one of them fares', params: ById, response } },
    async ({ params }) => await reportOf(context, await entryOf(params.id, context)),
  )
  server.delete(
    '/v1/syncs/:id',
    {
      schema: {
        summary: 'Sync a directory no more; files stay on both sides',
        params: ById,
        response: { 204: Type.Null(), ...FAILURES },
      },
    },
    async ({ params }, reply) => {
      const entry = await entryOf(params.id, context)
      await removeSync(context, entry)
      await context.syncs.follow()
      await forgetSync(context, entry)
      return await reply.code(204).send(null)
    },
  )
  server.post(
    '/v1/syncs/:id/pause',
    { schema: { summary: 'Leave both sides as they are', params: ById, response } },
    async ({ params }) => {
      const entry = await entryOf(params.id, context)
      await pauseSyncs(context, [entry], { isPaused: true, allowRemovals: false })
      await context.syncs.follow()
      return await reportOf(context, await entryOf(params.id, context))
    },
  )
  server.post(
    '/v1/syncs/:id/resume',
    {
      schema: {
        summary: 'Go on',
        params: ById,
        body: exactly({
          allowRemovals: Type.Optional(
            Type.Boolean({ description: 'Yes, so many files were meant to be removed.' }),
          ),
        }),
        response,
      },
    },
    async ({ params, body }) => {
      const entry = await entryOf(params.id, context)
      const allowRemovals = body.allowRemovals === true
      await pauseSyncs(context, [entry], { isPaused: false, allowRemovals })
      await context.syncs.follow()
      context.syncs.look(params.id)
      return await reportOf(context, await entryOf(params.id, context))
    },
  )
  server.post(
    '/v1/syncs/:id/look',
    { schema: { summary: 'Look at both sides now', params: ById, response } },
    async ({ params }) => {
      const entry = await entryOf(params.id, context)
      context.syncs.look(params.id)
      return await reportOf(context, entry)
    },
  )
}

function addChoiceRoutes(server: Server, context: ApiContext): void {
  const response = { 200: SyncStatus, ...FAILURES }
  server.post(
    '/v1/syncs/:id/select',
    {
      bodyLimit: MAX_CHOICE_BYTES,
      schema: {
        summary: 'Change what of a folder a directory has; all without a choice',
        params: ById,
        body: exactly(CHOICE),
        response,
      },
    },
    async ({ params, body: { only = [], except = [] } }) => {
      const entry = await entryOf(params.id, context)
      await selectSync(context, entry, { only, except })
      await context.syncs.follow()
      return await reportOf(context, await entryOf(params.id, context))
    },
  )
  server.post(
    '/v1/syncs/:id/revert',
    {
      bodyLimit: MAX_CHOICE_BYTES,
      schema: {
        summary: 'Make a directory as its folder again, where that may only be read',
        description: 'What was there is kept in .hayloft/set-aside.',
        params: ById,
        body: exactly({
          paths: Type.Optional(
            Type.Unsafe<string[]>({
              ...Paths,
              description: 'With all below them; all if left out.',
            }),
          ),
        }),
        response,
      },
    },
    async ({ params, body }) => {
      const entry = await entryOf(params.id, context)
      await revertSync(context, entry, body.paths ?? 'all')
      context.syncs.look(params.id)
      return await reportOf(context, entry)
    },
  )
}

async function entryOf(id: string, { files, account }: ApiContext): Promise<SyncEntry> {
  const entry = (await readSyncs(files.syncs, account)).find((each) => each.id === id)
  if (entry === undefined) throw new ApiError('sync-unknown')
  return entry
}

/** `home:photos`, or `hayfolderread1…/photos`. */
function labelOf({ capability, alias = 'home', path = '' }: Place): string {
  return capability === undefined ? `${alias}:${path}` : `${capability}/${path}`
}
